#include "common/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace dyad::internal {

void check_failed(const char* file, int line, const char* what, const std::string& values) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed%s%s\n", file, line, what, values.empty() ? "" : ": ", values.c_str());
  std::abort();
}

}  // namespace dyad::internal
