#include "common/tables/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include "common/tables/tables_json.h"

namespace dyad {
namespace {

using testing::HasSubstr;

Tables two() {
  return {{.name = "item", .width = 128, .key_end = 40, .seed = ~std::uint64_t{0}},
          {.name = "code.semantic", .width = 3, .key_end = 1ull << 40, .stream = 7, .init_std = 0.1f,
           .optimizer = {.name = "sgd", .clip = 0.3f}}};
}

TEST(Tables, ComeBackFromJsonBitForBit) {
  EXPECT_EQ(nlohmann::json::parse(nlohmann::json(two()).dump()).get<Tables>(), two());
}

TEST(Tables, WhatAPeerMaySayIsChecked) {
  EXPECT_TRUE(check(two()));
  const auto said = [](const std::function<void(Tables&)>& change) {
    Tables tables = two();
    change(tables);
    const Status status = check(tables);
    return status ? std::string() : status.error().message;
  };
  EXPECT_THAT(said([](Tables& t) { t.clear(); }), HasSubstr("0 tables"));
  EXPECT_THAT(said([](Tables& t) { t.resize(kTablesMax + 1); }), HasSubstr("17 tables"));
  EXPECT_THAT(said([](Tables& t) { t[1].name = "item"; }), HasSubstr("two tables are called item"));
  EXPECT_THAT(said([](Tables& t) { t[1].name = "a\nb"; }), HasSubstr("table 1 has no name"));
  EXPECT_THAT(said([](Tables& t) { t[0].name = std::string(65, 'a'); }), HasSubstr("table 0 has no name"));
  EXPECT_THAT(said([](Tables& t) { t[0].width = 0; }), HasSubstr("table item has rows of 0 floats"));
  EXPECT_THAT(said([](Tables& t) { t[0].width = ~0u; }), HasSubstr("rows of 4294967295 floats"));
  EXPECT_THAT(said([](Tables& t) { t[0].optimizer.eps = std::nanf(""); }), HasSubstr("table item has an option"));
  EXPECT_THAT(said([](Tables& t) { t[0].optimizer.name = ""; }), HasSubstr("table item names no optimizer"));
}

TEST(Tables, AnyDifferenceIsNamed) {
  const auto said = [](const std::function<void(Tables&)>& change) {
    Tables theirs = two();
    change(theirs);
    return first_difference(theirs, two());
  };
  EXPECT_EQ(said([](Tables&) {}), "");
  EXPECT_EQ(said([](Tables& t) { t.pop_back(); }), "1 tables, not 2");
  EXPECT_EQ(said([](Tables& t) { t[0].name = "user"; }), "table 0 is called user, not item");
  EXPECT_EQ(said([](Tables& t) { t[0].width = 64; }), "table item has rows of 64 floats, not 128");
  EXPECT_EQ(said([](Tables& t) { t[0].key_end = 41; }), "table item has keys below 41, not below 40");
  EXPECT_THAT(said([](Tables& t) { t[1].optimizer.eps = 1; }), HasSubstr("table code.semantic is trained by sgd"));
  EXPECT_EQ(said([](Tables& t) { t[1].stream = 8; }), "table code.semantic has other initial rows");
}

TEST(Tables, ATableIsCalledByItsNameOrItsNumber) {
  EXPECT_EQ(name_of(two(), TableId{1}), "code.semantic");
  EXPECT_EQ(name_of(two(), TableId{7}), "7 (of 2)");
}

}  // namespace
}  // namespace dyad
