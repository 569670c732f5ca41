#include "common/base/terminal.h"

#include <fcntl.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include "common/base/utf8.h"

namespace dyad {
namespace {

constexpr std::size_t kColumnsUnknown = 80, kColumnsMin = 10;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::size_t window_of(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

wchar_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  unsigned value = byte(0) & (0xffu >> (character.size() + 1));
  for (std::size_t i = 1; i < character.size(); ++i) value = value << 6 | (byte(i) & 0x3fu);
  return static_cast<wchar_t>(value);
}

// glibc's table of widths, by a locale of our own: setlocale would change how all numbers are printed.
int width_of_character(wchar_t c) {
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (!utf8) return 1;
  const locale_t before = uselocale(utf8);
  const int width = wcwidth(c);
  uselocale(before);
  return std::max(width, 0);
}

}  // namespace

bool is_drawable(int fd) {
  const std::string term = variable("TERM");
  return isatty(fd) == 1 && !term.empty() && term != "dumb";
}

std::size_t columns_of(int fd) {
  std::size_t columns = window_of(fd);
  if (columns == 0) {
    if (const int own = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY); own >= 0) {
      columns = window_of(own);
      close(own);
    }
  }
  if (columns == 0) columns = std::strtoul(variable("COLUMNS").c_str(), nullptr, 10);
  return columns == 0 ? kColumnsUnknown : std::max(columns, kColumnsMin);
}

bool is_color_unwanted() { return !variable("NO_COLOR").empty(); }

bool are_blocks_wanted() {
  if (is_color_unwanted()) return false;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {     // the first that is set is the locale's
    std::string value = variable(name);
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::size_t bytes = utf8_character(text);
    width += bytes == 0 ? 1 : static_cast<std::size_t>(width_of_character(code_point(text.substr(0, bytes))));
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return width;
}

std::string clipped(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t bytes = std::max<std::size_t>(utf8_character(text.substr(end)), 1);
    if (width_of(text.substr(0, end + bytes)) > columns) break;
    end += bytes;
  }
  return std::string(text.substr(0, end));
}

}  // namespace dyad
