#pragma once
// What a function that meets the world returns: a value, or an error whose code says what the caller can do.
// A bug of ours is no error: CHECK (check.h) aborts. Foreign exceptions become errors in one adapter per library.
#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>
#include <string>
#include <utility>
#include <fmt/format.h>

namespace dyad {

enum class Code : int {   // the number is also the exit code of a program that ends with it (docs/operations.md)
  kFailed = 1,            // nothing the caller can do but report it
  kInvalid = 2,           // fix the input, the configuration or the command line
  kNotFound = 3,          // the named thing does not exist
  kStale = 4,             // refresh the routing (or the incarnation) and try again
  kOverloaded = 5,        // back off and try again
  kDisconnected = 6,      // reconnect, or the peer is gone
};
const char* code_name(Code code);

struct Error {
  Code code = Code::kFailed;
  std::string message;    // names the thing (file and line, key, peer) and what to do next
};

[[noreturn]] void die_on_error(const Error& error);
[[noreturn]] void die_no_error();

struct CheckedPolicy : boost::outcome_v2::policy::base {   // value() of an error aborts with the error's message
  template <class Impl> static constexpr void wide_value_check(Impl&& self) {
    if (!base::_has_value(std::forward<Impl>(self))) die_on_error(base::_error(std::forward<Impl>(self)));
  }
  template <class Impl> static constexpr void wide_error_check(Impl&& self) {
    if (!base::_has_error(std::forward<Impl>(self))) die_no_error();
  }
};
template <class T> using Result = boost::outcome_v2::basic_result<T, Error, CheckedPolicy>;
using Status = Result<void>;
inline Status ok() { return boost::outcome_v2::success(); }

template <class... Args> Error fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace dyad

// DYAD_TRY(x, expression): declares x, a reference to the value (move from it to keep it), or the function returns the
// error. DYAD_TRYV for a Status.
#define DYAD_TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
#define DYAD_TRYV(...) BOOST_OUTCOME_TRYV(__VA_ARGS__)
