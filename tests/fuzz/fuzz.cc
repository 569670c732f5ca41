#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <fstream>
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/io/temp_folder.h"

namespace dyad::fuzz {

const std::filesystem::path& folder() {
  static const io::TempFolder folder;
  return folder.path();
}

std::filesystem::path put(const std::string& name, std::string_view bytes) {
  const std::filesystem::path file = folder() / name;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.flush();
  CHECK(out.good());
  return file;
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  CHECK(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    out.append(4, '\0');
    put_number(out, out.size() - 4, static_cast<std::uint32_t>(part.size()));
    out += part;
  }
  return out;
}

std::vector<std::string> split(std::string_view bytes, std::size_t parts) {
  std::vector<std::string> out(parts);
  for (std::string& part : out) {
    if (bytes.size() < 4) break;
    const auto length = std::min<std::size_t>(number_at<std::uint32_t>(bytes, 0), bytes.size() - 4);
    part = bytes.substr(4, length);
    bytes.remove_prefix(4 + length);
  }
  return out;
}

}  // namespace dyad::fuzz

// The last word of the command line is the corpus: the seeds go there. A file there is one input to run again.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  dyad::set_log_level("error");
  const std::filesystem::path corpus = (*argv)[*argc - 1];
  if (!std::filesystem::is_directory(corpus)) return 0;
  for (const std::string& seed : dyad::fuzz::seeds())
    std::ofstream(corpus / ("seed-" + dyad::hex64(dyad::digest64(seed))), std::ios::binary) << seed;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dyad::fuzz::decode({reinterpret_cast<const char*>(data), size});
  return 0;
}
