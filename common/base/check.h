#pragma once
// CHECK: a broken promise of our own code. Prints both values and aborts, in release too.
#include <string>
#include <fmt/format.h>
#include <fmt/ostream.h>

namespace dyad::internal {
[[noreturn]] void check_failed(const char* file, int line, const char* what, const std::string& values);
template <class A, class B> std::string both(const A& a, const B& b) {
  if constexpr (fmt::is_formattable<A>::value && fmt::is_formattable<B>::value) return fmt::format("{} vs {}", a, b);
  else return "(values not printable)";
}
}  // namespace dyad::internal

#define CHECK(condition) \
  do { if (!(condition)) [[unlikely]] ::dyad::internal::check_failed(__FILE__, __LINE__, #condition, ""); } while (0)
#define DYAD_CHECK_OP(op, a, b)                                                   \
  do {                                                                            \
    const auto& check_a_ = (a);                                                   \
    const auto& check_b_ = (b);                                                   \
    if (!(check_a_ op check_b_)) [[unlikely]]                                     \
      ::dyad::internal::check_failed(__FILE__, __LINE__, #a " " #op " " #b,       \
                                     ::dyad::internal::both(check_a_, check_b_)); \
  } while (0)
#define CHECK_EQ(a, b) DYAD_CHECK_OP(==, a, b)
#define CHECK_NE(a, b) DYAD_CHECK_OP(!=, a, b)
#define CHECK_LE(a, b) DYAD_CHECK_OP(<=, a, b)
#define CHECK_LT(a, b) DYAD_CHECK_OP(<, a, b)
#define CHECK_GE(a, b) DYAD_CHECK_OP(>=, a, b)
#define CHECK_GT(a, b) DYAD_CHECK_OP(>, a, b)
