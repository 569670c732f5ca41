#include "common/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace dyad {

const char* code_name(Code code) {
  switch (code) {
    case Code::kFailed: return "failed";
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not found";
    case Code::kStale: return "stale";
    case Code::kOverloaded: return "overloaded";
    case Code::kDisconnected: return "disconnected";
  }
  return "unknown";
}

void die_on_error(const Error& error) {
  std::fprintf(stderr, "bug: value() of an error (%s): %s\n", code_name(error.code), error.message.c_str());
  std::abort();
}

void die_no_error() {
  std::fprintf(stderr, "bug: error() of a value\n");
  std::abort();
}

}  // namespace dyad
