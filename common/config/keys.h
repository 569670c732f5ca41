#pragma once
// The table behind every use of a configuration key. Private to this folder.
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include "common/config/config.h"

namespace dyad::config {

using Field = std::variant<std::string*, bool*, std::uint32_t*, std::uint64_t*, double*>;

struct Allowed {                                    // what a value may be; an empty one allows all of its type
  double min = -std::numeric_limits<double>::infinity(), max = std::numeric_limits<double>::infinity();
  bool above_min = false, below_max = false;        // the bound itself is not allowed
  std::vector<std::string_view> choices;            // of a string
  bool not_empty = false;                           // of a string
  std::string_view prefix;                          // of a string
};

// kResult: part of result_digest. kModel: so too, and of which weights there are and what they mean: one model's fit
// another only where these agree.
enum class Decides { kResult, kModel, kNothing };

struct Key {
  std::string_view section, name;
  Field (*field)(Config&);                          // the member that holds the value
  Allowed allowed;
  Decides decides;
  std::string_view help;                            // one line, with the unit

  bool decides_result() const { return decides != Decides::kNothing; }
  std::string full_name() const { return std::string(section) + "." + std::string(name); }
};

std::span<const Key> keys();                        // in the order of config.h
std::string variable_name(const Key& key);           // in the environment: "DYAD_MODEL_DIM"
const Key* find_key(std::string_view full_name);    // nullptr if there is none
bool is_section(std::string_view name);

std::string type_text(const Key& key);              // "integer"
std::string allowed_text(const Key& key);           // "8 to 4096", "sync, ssp or async"
std::string value_text(const Key& key, const Config& config);   // as TOML writes it

}  // namespace dyad::config
