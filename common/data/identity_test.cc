#include "common/data/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include "common/base/digest.h"
#include "common/data/dataset_writer.h"
#include "common/data/item_files.h"
#include "common/io/half_bits.h"
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"

namespace dyad::data {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;

class IdentityTest : public testing::Test {
 protected:
  void SetUp() override {
    auto writer = DatasetWriter::create(dir(), {}).value();
    for (std::uint32_t k = 0; k < 4; ++k) ASSERT_TRUE(writer.append({UserId{0}, ItemId{k % 2}, k}).has_value());
    std::vector<Item> items(2);
    items[0].key = "a", items[1].key = "b";
    ASSERT_TRUE(writer.finish(items, std::vector<std::string>{"u"}).has_value());
    for (const char* stream : kStreams) codes(stream, {0, 1}), vectors(stream, {1, 2, 3, 4});
  }
  std::filesystem::path dir() const { return folder_ / "data"; }
  void codes(const std::string& stream, const std::vector<std::int32_t>& values, const io::Metadata& metadata = {}) {
    const auto tensor = io::make_tensor<std::int32_t>({2, 1}, values);
    ASSERT_TRUE(io::write_safetensors(dir() / "codes" / (stream + ".safetensors"), {{"codes", tensor}}, metadata)
                    .has_value());
  }
  void vectors(const std::string& stream, const std::vector<float>& values) {
    const auto tensor = io::make_tensor<float>({2, values.size() / 2}, values);
    ASSERT_TRUE(
        io::write_safetensors(dir() / "vectors" / (stream + ".safetensors"), {{"embedding", tensor}}).has_value());
  }
  Result<Identity> look(bool with_vectors = true) const {
    return identify(Dataset::open(dir()).value(), with_vectors);
  }
  std::string changed_since(const Identity& before) const {
    return differing_parts(look().value().parts(), before.parts(), "before");
  }
  io::TempFolder folder_;
};

TEST_F(IdentityTest, NamesEachPartThatChanged) {
  const Identity before = look().value();
  EXPECT_THAT(before.parts(), ElementsAre(Key("behaviour codes"), Key("behaviour vectors"), Key("log and catalogue"),
                                          Key("semantic codes"), Key("semantic vectors")));
  EXPECT_EQ(changed_since(before), "");
  codes("semantic", {1, 0});
  vectors("behaviour", {1, 2, 3, 5});
  const Identity now = look().value();
  EXPECT_EQ(changed_since(before),
            fmt::format("behaviour vectors ({}, before {}), semantic codes ({}, before {})",
                        hex64(now.vectors.at("behaviour")), hex64(before.vectors.at("behaviour")),
                        hex64(now.codes.at("semantic")), hex64(before.codes.at("semantic"))));
  EXPECT_EQ(now.dataset, before.dataset);
}

TEST_F(IdentityTest, VectorsNeedNotBeThereWhereNobodyReadsThem) {
  const auto with = look().value();
  std::filesystem::remove_all(dir() / "vectors");
  EXPECT_EQ(look().error().code, Code::kNotFound);
  const auto without = look(false).value();
  EXPECT_EQ(differing_parts(without.parts(), with.parts(), "x").find("behaviour vectors (none, x "), 0u);
  EXPECT_EQ(differing_parts(with.parts(), without.parts(), "x"), "") << "nobody asked for more";
}

TEST_F(IdentityTest, CodesBuiltFromOtherVectorsAreStaleAndCodesFromElsewhereAreNot) {
  EXPECT_THAT(look().value().stale, IsEmpty());
  const std::string these = hex64(look().value().vectors.at("semantic"));
  codes("semantic", {0, 1}, {{"vectors", these}});
  EXPECT_THAT(look().value().stale, IsEmpty());
  vectors("semantic", {1, 2, 3, 5});
  EXPECT_THAT(look().value().stale, ElementsAre("semantic"));
  EXPECT_THAT(look(false).value().stale, IsEmpty()) << "nobody reads the vectors";
}

TEST_F(IdentityTest, FilesWithoutADigestOfTheirOwnAreNamed) {
  EXPECT_THAT(look().value().unsealed, ElementsAre("codes/behaviour.safetensors", "vectors/behaviour.safetensors",
                                                   "codes/semantic.safetensors", "vectors/semantic.safetensors"));
  const auto keys = Dataset::open(dir()).value().keys_digest();
  const std::vector<std::int32_t> paths{0, 1};
  for (const std::string stream : kStreams) {
    ASSERT_TRUE(write_codes(dir() / "codes" / (stream + ".safetensors"), keys, paths, 1, {}).has_value());
    ASSERT_TRUE(write_vectors(dir() / "vectors" / (stream + ".safetensors"), keys, {2, 1, {1, 2}}, "x").has_value());
  }
  EXPECT_THAT(look().value().unsealed, IsEmpty());
}

// A bit that falls over in any file of a dataset's folder stops the job that begins, or changes nothing that it reads.
TEST_F(IdentityTest, NoFlippedBitOfTheFolderGoesUnseen) {
  const auto keys = Dataset::open(dir()).value().keys_digest();
  const std::vector<std::int32_t> paths{0, 1};
  for (const std::string stream : kStreams) {
    ASSERT_TRUE(write_codes(dir() / "codes" / (stream + ".safetensors"), keys, paths, 1, {{"k", "2"}}).has_value());
    ASSERT_TRUE(write_vectors(dir() / "vectors" / (stream + ".safetensors"), keys, {2, 1, {1, 2}}, "x").has_value());
  }
  const auto before = look().value().parts();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string whole = io::read_file(entry.path()).value();
    for (std::size_t i = 0; i < whole.size(); i += whole.size() > 1000 ? 3 : 1) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << i % 8);
      std::ofstream(entry.path(), std::ios::binary) << bytes;
      const auto read = Dataset::open(dir());
      if (!read) continue;
      const auto found = identify(read.value(), true);
      if (found) { EXPECT_EQ(found.value().parts(), before) << entry.path() << " byte " << i; }
      EXPECT_EQ(read.value().item(ItemId{1}).key, "b") << entry.path() << " byte " << i;
    }
    std::ofstream(entry.path(), std::ios::binary) << whole;
  }
  EXPECT_GE(files, 9u);
  EXPECT_EQ(look().value().parts(), before);
}

// `dyad codes build` notes in its file which floats it was built from.
TEST_F(IdentityTest, AVectorsDigestIsThatOfItsFloatsWhateverTheFileHoldsThemAs) {
  const std::vector<float> floats{1, 2, 3, 0.5f};
  vectors("semantic", floats);
  EXPECT_EQ(look().value().vectors.at("semantic"), digest64(std::as_bytes(std::span(floats))));
  std::vector<std::uint16_t> halves;
  for (const float v : floats) halves.push_back(io::float_to_half(v));
  ASSERT_TRUE(io::write_safetensors(dir() / "vectors/semantic.safetensors",
                                    {{"embedding", {io::DType::kF16, {2, 2}, std::as_bytes(std::span(halves))}}})
                  .has_value());
  EXPECT_EQ(look().value().vectors.at("semantic"), digest64(std::as_bytes(std::span(floats))));
}

}  // namespace
}  // namespace dyad::data
