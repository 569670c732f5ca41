#include "tools/encode/item_vectors.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include "common/base/check.h"
#include "common/data/dataset_writer.h"
#include "common/io/safetensors.h"
#include "common/io/temp_folder.h"

namespace dyad::encode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ItemVectorsTest : public testing::Test {
 protected:
  ItemVectorsTest() {
    auto writer = data::DatasetWriter::create(folder_ / "d", {}).value();
    CHECK(writer.append({UserId{0}, ItemId{0}, 1}).has_value());
    std::vector<data::Item> items(3);
    for (std::size_t i = 0; i < 3; ++i) items[i].key = std::string(1, static_cast<char>('a' + i));
    CHECK(writer.finish(items, std::vector<std::string>{"u"}).has_value());
    dataset_ = data::Dataset::open(folder_ / "d").value();
  }
  Result<WrittenVectors> write(const io::Matrix& rows, const std::string& source = "x") {
    return write_vectors(dataset_, codes::Stream::kSemantic, rows, source);
  }
  io::TempFolder folder_;
  data::Dataset dataset_;
};

TEST_F(ItemVectorsTest, AreReadByTheNameOfTheTensorWhereThereAreSeveral) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const auto tensor = io::make_tensor<float>({3, 2}, values);
  ASSERT_TRUE(io::write_safetensors(folder_ / "one.safetensors", {{"e", tensor}}).has_value());
  ASSERT_TRUE(io::write_safetensors(folder_ / "two.safetensors", {{"e", tensor}, {"f", tensor}}).has_value());
  EXPECT_EQ(read_vectors(folder_ / "one.safetensors", "").value().values, values);
  EXPECT_THAT(read_vectors(folder_ / "two.safetensors", "").error().message, HasSubstr("name one by --tensor"));
  EXPECT_EQ(read_vectors(folder_ / "two.safetensors", "f").value().rows, 3u);
  EXPECT_EQ(read_vectors(folder_ / "one.csv", "").error().code, Code::kInvalid);
}

TEST_F(ItemVectorsTest, AreCountedAndWhatIsNotFiniteIsNamedByItsKey) {
  EXPECT_EQ(write({4, 1, {1, 2, 3, 4}}).error().code, Code::kInvalid);
  ASSERT_TRUE(write({3, 2, {1, 2, 3, 4, 5, 6}}).has_value());
  const auto file = codes::vectors_file(dataset_.dir(), codes::Stream::kSemantic);
  const auto again = io::load_matrix(file, "embedding").value();
  EXPECT_THAT(again.values, ElementsAre(1, 2, 3, 4, 5, 6));
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(write({3, 2, {1, 2, 3, nan, 5, 6}}).error().message, HasSubstr("item 1 (b) holds nan at place 1"));
}

TEST_F(ItemVectorsTest, ZerosAndWhatWasReplacedAreTold) {
  const auto first = write({3, 2, {1, 2, 0, 0, 0, 0}}, "the first").value();
  EXPECT_THAT(first.zeros, ElementsAre(ItemId{1}, ItemId{2}));
  EXPECT_EQ(first.replaced, std::nullopt);
  EXPECT_EQ(write({3, 2, {1, 2, 0, 0, 0, 0}}, "again").value().replaced, std::nullopt) << "the same";
  EXPECT_EQ(write({3, 1, {1, 2, 3}}, "the second").value().replaced, "again");
}

}  // namespace
}  // namespace dyad::encode
