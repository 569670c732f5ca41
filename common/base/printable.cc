#include "common/base/printable.h"

#include <fmt/format.h>
#include "common/base/utf8.h"

namespace dyad {

std::string printable(std::string_view text, std::size_t max) {
  std::string out;
  std::string_view left = text;
  while (!left.empty() && text.size() - left.size() < max) {
    const std::size_t size = utf8_character(left);
    const auto first = static_cast<unsigned char>(left[0]);
    const bool control = first < 0x20 || first == 0x7f ||
                         (size == 2 && first == 0xc2 && static_cast<unsigned char>(left[1]) < 0xa0);   // C1, as CSI
    const std::size_t taken = size == 0 ? 1 : size;
    if (size != 0 && !control) out.append(left.substr(0, taken));
    else
      for (const char byte : left.substr(0, taken)) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    left.remove_prefix(taken);
  }
  return left.empty() ? out : fmt::format("{}... ({} bytes)", out, text.size());
}

}  // namespace dyad
