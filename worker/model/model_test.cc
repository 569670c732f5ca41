// The whole model: gradients against finite differences, both implementations, padding, ranks, switches, traps.
#include <gtest/gtest.h>
#include "common/base/digest.h"
#include "common/base/random.h"
#include "worker/model/toy_for_test.h"

namespace dyad::worker {
namespace {

double total_of(Eager& model, const Batch& batch, const RowTensors& rows) {
  at::NoGradGuard no_grad;
  return model.evaluate(batch, rows).total.item<double>();
}

// Central differences of the loss in a few random elements of `x` against x.grad().
void expect_gradient(Eager& model, const Batch& batch, const RowTensors& rows, const at::Tensor& x,
                     const std::string& name) {
  ASSERT_TRUE(x.grad().defined()) << name;
  at::Tensor flat = x.detach().flatten();
  ASSERT_EQ(flat.data_ptr(), x.data_ptr());
  const at::Tensor gradient = x.grad().flatten();
  KeyedRandom random(3, digest64(name));
  double* at_x = flat.data_ptr<double>();
  for (int i = 0; i < 2; ++i) {
    const auto j = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(flat.numel())));
    const double kept = at_x[j], h = 1e-5;
    at_x[j] = kept + h;
    const double up = total_of(model, batch, rows);
    at_x[j] = kept - h;
    const double down = total_of(model, batch, rows);
    at_x[j] = kept;
    const double want = (up - down) / (2 * h), got = gradient[j].item<double>();
    EXPECT_NEAR(got, want, 1e-6 + 1e-5 * std::abs(want)) << name << " element " << j;
  }
}

class EveryShape : public ::testing::TestWithParam<std::pair<std::vector<std::size_t>, std::size_t>> {};

TEST_P(EveryShape, GradientsAreThoseOfFiniteDifferences) {
  Toy toy(GetParam().first, GetParam().second);
  toy.options.type = at::kDouble;
  toy.options.model.label_smoothing = 0.1;
  Eager model = toy.model();
  model.use_double_for_test();
  const Batch batch = toy.task.batch(0, 5);
  const RowTensors rows = toy.rows(batch, at::kDouble);
  model.evaluate(batch, rows).total.backward();
  for (const NamedParameter& p : model.parameters()) expect_gradient(model, batch, rows, p.value, p.name);
  expect_gradient(model, batch, rows, rows.item, "item rows");
  for (const at::Tensor& code : rows.code) expect_gradient(model, batch, rows, code, "code rows");
}

TEST_P(EveryShape, KernelsComputeWhatLibTorchComputes) {
  Toy toy(GetParam().first, GetParam().second);
  toy.options.model.dropout = 0.2;                        // both draw the same masks
  toy.options.model.label_smoothing = 0.1;
  const Batch batch = toy.task.batch(0, 9);
  Eager fast = toy.model();
  toy.options.kernels = false;
  Eager plain = toy.model();
  const RowTensors fast_rows = toy.rows(batch), plain_rows = toy.rows(batch);
  const Losses a = fast.forward(batch, fast_rows, 77), b = plain.forward(batch, plain_rows, 77);
  expect_close(a.parts, b.parts, 1e-5, "losses");
  a.total.backward();
  b.total.backward();
  for (std::size_t i = 0; i < fast.parameters().size(); ++i)
    expect_close(fast.parameters()[i].value.grad(), plain.parameters()[i].value.grad(), 1e-5,
                 fast.parameters()[i].name);
  expect_close(fast_rows.item.grad(), plain_rows.item.grad(), 1e-5, "item rows");
  for (int s = 0; s < 2; ++s) expect_close(fast_rows.code[s].grad(), plain_rows.code[s].grad(), 1e-5, "code rows");
}

INSTANTIATE_TEST_SUITE_P(Levels, EveryShape,
                         ::testing::Values(std::pair{std::vector<std::size_t>{}, 0ul},
                                           std::pair{std::vector<std::size_t>{4}, 0ul},
                                           std::pair{std::vector<std::size_t>{4}, 3ul},
                                           std::pair{std::vector<std::size_t>{3, 3}, 0ul}));

// Trap: a padding mask that never fires.
TEST(Eager, PaddingChangesNothing) {
  Toy toy;
  Eager model = toy.model();
  const Batch batch = toy.task.batch(0, 6);
  Batch wide = batch;
  wide.length = batch.length + 3;
  wide.history.assign(wide.size * wide.length, -1);
  for (std::size_t b = 0; b < batch.size; ++b)
    std::copy_n(batch.history.begin() + static_cast<std::ptrdiff_t>(b * batch.length), batch.length,
                wide.history.begin() + static_cast<std::ptrdiff_t>(b * wide.length + 3));
  expect_close(model.evaluate(batch, toy.rows(batch)).parts, model.evaluate(wide, toy.rows(wide)).parts, 0, "losses");
}

TEST(Eager, ASamplesLossDoesNotDependOnLongerHistoriesBesideIt) {
  Toy toy;
  for (const bool kernels : {true, false}) {
    toy.options.kernels = kernels;
    Eager model = toy.model();
    double alone = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      const Batch one = toy.task.batch(i, 1);
      alone += model.evaluate(one, toy.rows(one)).total.item<double>();
    }
    const Batch all = toy.task.batch(0, 6);
    EXPECT_NEAR(model.evaluate(all, toy.rows(all)).total.item<double>(), alone / 6, 1e-5);
  }
}

TEST(Eager, TwoRanksAddUpToOne) {
  Toy toy;
  Eager whole = toy.model(), parts = toy.model();
  const Batch all = toy.task.batch(0, 8);
  const RowTensors all_rows = toy.rows(all);
  const Losses want = whole.evaluate(all, all_rows);
  want.total.backward();
  at::Tensor sum = at::zeros_like(want.parts), items = at::zeros_like(toy.item);
  for (std::size_t rank = 0; rank < 2; ++rank) {
    std::vector<std::size_t> mine;
    for (std::size_t i = rank; i < 8; i += 2) mine.push_back(i);
    Batch part = toy.task.batch(mine);
    part.global_size = 8;
    const RowTensors rows = toy.rows(part);
    const Losses got = parts.evaluate(part, rows);
    got.total.backward();
    sum += got.parts;
    for (std::size_t k = 0; k < part.item_keys.size(); ++k)
      items[static_cast<std::int64_t>(part.item_keys[k].value)] += rows.item.grad()[static_cast<std::int64_t>(k)];
  }
  expect_close(sum, want.parts, 1e-5, "losses");
  for (std::size_t i = 0; i < whole.parameters().size(); ++i)
    expect_close(parts.parameters()[i].value.grad(), whole.parameters()[i].value.grad(), 1e-5,
                 whole.parameters()[i].name);
  for (std::size_t k = 0; k < all.item_keys.size(); ++k)
    expect_close(items[static_cast<std::int64_t>(all.item_keys[k].value)],
                 all_rows.item.grad()[static_cast<std::int64_t>(k)], 1e-5, "item rows");
}

TEST(Eager, LevelOneDoesNotSeeTheCodes) {
  Toy toy;
  Eager model = toy.model();
  Batch batch = toy.task.batch(0, 4);
  const RowTensors rows = toy.rows(batch);
  const at::Tensor before = model.evaluate(batch, rows).parts;
  for (int s = 0; s < 2; ++s) {                           // another y_2 under the same y_1
    StreamBatch& stream = batch.stream[s];
    for (std::size_t b = 0; b < batch.size; ++b) {
      auto& code = stream.code[b * 2 + 1];
      code = code + 1 < stream.child_end[b * 2 + 1] ? code + 1 : stream.child_begin[b * 2 + 1];
    }
  }
  const at::Tensor after = model.evaluate(batch, rows).parts;
  EXPECT_EQ(before[0].item<float>(), after[0].item<float>());
  EXPECT_EQ(before[2].item<float>(), after[2].item<float>());
  EXPECT_NE(before[4].item<float>(), after[4].item<float>());   // L_con sees y_2
}

TEST(Eager, LevelTwoSoftmaxAtY1DoesNotSeeY2) {
  // Loss of y_2 and of its sibling under the same hidden state: exp(-loss) over all siblings sums to one only if the
  // state is the same whichever sibling is the target.
  Toy toy;
  toy.options.model.stt = false;
  Eager model = toy.model();
  Batch batch = toy.task.batch(0, 1);
  const RowTensors rows = toy.rows(batch);
  for (int s = 0; s < 2; ++s) {
    double sum = 0;
    for (auto k = batch.stream[s].child_begin[1]; k < batch.stream[s].child_end[1]; ++k) {
      batch.stream[s].code[1] = k;
      sum += std::exp(-model.evaluate(batch, rows).parts[s * 2 + 1].item<double>());
    }
    EXPECT_NEAR(sum, 1.0, 1e-5);
  }
}

// Trap: the recognition task's positive taken from the already masked codes.
TEST(Eager, RecognitionsPositiveIsTheUnmaskedPath) {
  Toy toy;
  Eager model = toy.model();
  Batch batch = toy.task.batch(0, 6);
  const RowTensors rows = toy.rows(batch);
  const at::Tensor before = model.evaluate(batch, rows).parts;
  for (auto& level : batch.transfer.masked) level = 1 - level;
  const at::Tensor after = model.evaluate(batch, rows).parts;
  EXPECT_EQ(before[6].item<float>(), after[6].item<float>());
  EXPECT_NE(before[5].item<float>(), after[5].item<float>());
}

TEST(Eager, ReconstructionDoesNotSeeTheMaskedCode) {
  Toy toy;
  Eager model = toy.model();
  Batch batch = toy.task.batch(0, 1);
  batch.transfer.masked = {1};
  RowTensors rows = toy.rows(batch);
  double sum = 0;
  toy.options.model.gct = false;
  // STT is guided by the semantic summary alone, so another behaviour y_2 leaves the state at the mask as it is.
  for (auto k = batch.stream[0].child_begin[1]; k < batch.stream[0].child_end[1]; ++k) {
    batch.stream[0].code[1] = k;
    sum += std::exp(-model.evaluate(batch, rows).parts[5].item<double>());
  }
  EXPECT_NEAR(sum, 1.0, 1e-5);
}

TEST(Eager, RecognitionIsBinaryCrossEntropyOfRealAndReplacedPaths) {
  Toy toy;
  Eager model = toy.model();
  for (const NamedParameter& p : model.parameters())       // a judge that always answers 0.7
    if (p.name.starts_with("transfer.judge")) {
      at::NoGradGuard no_grad;
      p.value.fill_(p.name.ends_with("bias") ? 0.7 : 0.0);
    }
  const Batch batch = toy.task.batch(0, 6);
  const double p = 1 / (1 + std::exp(-0.7));
  EXPECT_NEAR(model.evaluate(batch, toy.rows(batch)).parts[6].item<double>(), -std::log(p) - std::log(1 - p), 1e-5);
}

TEST(Eager, ContrastIsSmoothL1BetweenSummaryAndItemVectors) {
  Toy toy;
  Eager model = toy.model();
  for (const NamedParameter& p : model.parameters())       // projections that always answer 0.25
    if (p.name.find("project") != std::string::npos) {
      at::NoGradGuard no_grad;
      p.value.fill_(p.name.ends_with("bias") ? 0.25 : 0.0);
    }
  const Batch batch = toy.task.batch(0, 6);
  double want = 0;
  for (int s = 0; s < 2; ++s)
    for (const ItemId item : batch.target) {
      double sum = 0;
      for (std::int64_t j = 0; j < toy.targets[s].size(1); ++j) {
        const double e = std::abs(0.25 - toy.targets[s][item.value][j].item<double>());
        sum += e < 1 ? 0.5 * e * e : e - 0.5;
      }
      want += sum / static_cast<double>(toy.targets[s].size(1)) / 6;
    }
  EXPECT_NEAR(model.evaluate(batch, toy.rows(batch)).parts[4].item<double>(), want, 1e-5);
}

TEST(Eager, ContrastTargetsAreCentredAndOfLengthRootWidth) {
  const at::Tensor x = contrast_targets(at::rand({50, 9}) + 3);
  expect_close(x.norm(2, 1), at::full({50}, 3.0), 1e-5, "length");
  EXPECT_LT(x.mean(0).abs().max().item<double>(), 0.5);
}

TEST(Eager, ContrastTargetsAreMadeInPlaceWithTheBytesOfACopy) {
  const at::Tensor raw = at::randn({3000, 67}) + 0.5;
  const at::Tensor x = raw - raw.mean(0, true);
  const at::Tensor want = x / x.norm(2, 1, true).clamp_min(1e-12) * std::sqrt(67.0);
  const void* memory = raw.data_ptr();
  const at::Tensor targets = contrast_targets(raw);
  EXPECT_EQ(targets.data_ptr(), memory);
  EXPECT_TRUE(at::equal(targets, want));
}

TEST(Eager, SwitchesRemoveTheirTermsAndWeights) {
  Toy toy;
  const Batch batch = toy.task.batch(0, 5);
  const auto parts = [&](bool gct, bool stt, double l1, double l2) {
    toy.options.model.gct = gct, toy.options.model.stt = stt, toy.options.model.lambda1 = l1,
    toy.options.model.lambda2 = l2;
    Eager model = toy.model();
    const Losses losses = model.evaluate(batch, toy.rows(batch));
    losses.total.backward();
    for (const NamedParameter& p : model.parameters()) {
      EXPECT_TRUE(p.value.grad().defined()) << p.name << " is never used";
      EXPECT_TRUE(stt || !p.name.starts_with("transfer")) << p.name;
      EXPECT_TRUE(gct || p.name.find("project") == std::string::npos) << p.name;
    }
    const at::Tensor x = losses.parts;
    const double gen = x.narrow(0, 0, 4).sum().item<double>();
    EXPECT_NEAR(losses.total.item<double>(),
                gen + l1 * x[4].item<double>() + l2 * (x[5].item<double>() + x[6].item<double>()), 1e-5);
    return x;
  };
  EXPECT_GT(parts(true, true, 0.5, 2)[4].item<double>(), 0);
  EXPECT_EQ(parts(false, true, 1, 1)[4].item<double>(), 0);
  const at::Tensor no_stt = parts(true, false, 1, 1);
  EXPECT_EQ(no_stt[5].item<double>() + no_stt[6].item<double>(), 0);
  EXPECT_GT(parts(false, false, 1, 1)[0].item<double>(), 0);
}

TEST(Eager, RunsAgainGiveTheSameBits) {
  Toy toy;
  toy.options.model.dropout = 0.2;
  toy.options.type = at::kBFloat16;
  const Batch batch = toy.task.batch(0, 16);
  std::vector<at::Tensor> seen[2];
  for (auto& s : seen) {
    Eager model = toy.model();
    const RowTensors rows = toy.rows(batch);
    const Losses losses = model.forward(batch, rows, 5);
    losses.total.backward();
    s = {losses.parts, rows.item.grad(), rows.code[0].grad(), rows.code[1].grad()};
    for (const NamedParameter& p : model.parameters()) s.push_back(p.value.grad());
  }
  for (std::size_t i = 0; i < seen[0].size(); ++i) EXPECT_TRUE(at::equal(seen[0][i], seen[1][i])) << i;
}

TEST(Eager, Bf16IsCloseToFp32) {
  Toy toy;
  const Batch batch = toy.task.batch(0, 32);
  Eager exact = toy.model();
  toy.options.type = at::kBFloat16;
  Eager rough = toy.model();
  expect_close(rough.evaluate(batch, toy.rows(batch)).parts, exact.evaluate(batch, toy.rows(batch)).parts, 0.02,
               "losses");
}

TEST(Eager, LearnsASmallTaskByHeart) {
  Toy toy;
  Eager model = toy.model();
  const Batch batch = toy.task.batch(0, 16);
  RowTensors rows = toy.rows(batch);
  std::vector<at::Tensor> all{rows.item, rows.code[0], rows.code[1]};
  for (const NamedParameter& p : model.parameters()) all.push_back(p.value);
  torch::optim::Adam adam(all, torch::optim::AdamOptions(1e-2));
  const at::Tensor before = model.evaluate(batch, rows).parts;
  for (int i = 0; i < 60; ++i) {
    model.forward(batch, rows, static_cast<std::uint64_t>(i)).total.backward();
    adam.step();
    adam.zero_grad(false);
  }
  const at::Tensor after = model.evaluate(batch, rows).parts;
  EXPECT_LT(after.narrow(0, 0, 4).sum().item<double>(), 0.3 * before.narrow(0, 0, 4).sum().item<double>());
}

}  // namespace
}  // namespace dyad::worker
