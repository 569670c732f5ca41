#include "tools/prepare/encode/item_vectors.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include "common/data/test_dataset.h"
#include "common/io/temp_folder.h"

namespace dyad::encode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ItemVectorsTest : public testing::Test {
 protected:
  Result<WrittenVectors> write(const io::Matrix& rows, const std::string& source = "x") {
    return write_vectors(dataset_, codes::Stream::kSemantic, rows, source);
  }
  io::TempFolder folder_;
  data::Dataset dataset_ = data::dataset_of(folder_ / "d", {"a", "b", "c"});
};

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
