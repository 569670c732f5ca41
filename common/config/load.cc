// Default < file < environment < --set. Each value is checked where it is read, so that the error can name the place;
// how keys go together is checked once at the end. toml++'s exceptions end here.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <toml++/toml.h>
#include <unistd.h>
#include <fmt/format.h>
#include "common/base/printable.h"
#include "common/base/utf8.h"
#include "common/config/keys.h"
#include "common/config/nearest.h"
#include "common/config/rules.h"

namespace dyad::config {
namespace {

using Value = std::variant<std::string, bool, std::int64_t, double>;
struct Origins {                                   // where a key's value came from, for the errors of rules
  std::map<const Key*, std::string> place;
};

std::string show(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return "\"" + printable(*text) + "\"";
  return std::visit([](const auto& v) { return fmt::format("{}", v); }, value);
}

Error wrong_type(const std::string& place, const Key& key, const Value& value) {
  const auto type = type_text(key);
  const std::string want = type == "true or false" ? "true nor false" : (type == "integer" ? "an " : "a ") + type;
  const std::string limits = type == "true or false" ? "" : "; allowed: " + allowed_text(key);
  return fail(Code::kInvalid, "{}: {} = {} is {} {}{}", place, key.full_name(), show(value),
              type == "true or false" ? "neither" : "not", want, limits);
}

Status check_number(const std::string& place, const Key& key, const Value& value, double number) {
  const Allowed& a = key.allowed;
  const bool good = std::isfinite(number) && number >= a.min && number <= a.max && !(a.above_min && number == a.min) &&
                    !(a.below_max && number == a.max);
  if (good) return ok();
  return fail(Code::kInvalid, "{}: {} = {} is out of range; allowed: {}", place, key.full_name(), show(value),
              allowed_text(key));
}

Status check_text(const std::string& place, const Key& key, const std::string& text) {
  if (utf8_prefix(text) != text.size())   // of --set or the environment: the job's config.toml could not be read again
    return fail(Code::kInvalid, "{}: {} is not UTF-8, which a configuration is", place, key.full_name());
  const Allowed& a = key.allowed;
  bool good = !(a.not_empty && text.empty()) && text.starts_with(a.prefix);
  std::string hint;
  if (!a.choices.empty()) {
    good = std::ranges::find(a.choices, text) != a.choices.end();
    const auto near = nearest_of(text, {a.choices.begin(), a.choices.end()});
    if (!near.empty()) hint = fmt::format(" (did you mean {}?)", near);
  }
  if (good) return ok();
  return fail(Code::kInvalid, "{}: {} = \"{}\" is not allowed; allowed: {}{}", place, key.full_name(), printable(text),
              allowed_text(key), hint);
}

Status assign(const std::string& place, const Key& key, const Value& value, Config& config) {
  return std::visit([&](auto* member) -> Status {
    using T = std::remove_pointer_t<decltype(member)>;
    if constexpr (std::is_same_v<T, std::string>) {
      const auto* text = std::get_if<std::string>(&value);
      if (!text) return wrong_type(place, key, value);
      DYAD_TRYV(check_text(place, key, *text));
      *member = *text;
    } else if constexpr (std::is_same_v<T, bool>) {
      const auto* flag = std::get_if<bool>(&value);
      if (!flag) return wrong_type(place, key, value);
      *member = *flag;
    } else if constexpr (std::is_same_v<T, double>) {
      const auto* whole = std::get_if<std::int64_t>(&value);
      const auto* real = std::get_if<double>(&value);
      if (!whole && !real) return wrong_type(place, key, value);
      const double number = whole ? static_cast<double>(*whole) : *real;
      DYAD_TRYV(check_number(place, key, value, number));
      *member = number;
    } else {
      const auto* whole = std::get_if<std::int64_t>(&value);
      if (!whole) return wrong_type(place, key, value);
      DYAD_TRYV(check_number(place, key, value, static_cast<double>(*whole)));
      *member = static_cast<T>(*whole);
    }
    return ok();
  }, key.field(config));
}

// Text of the environment or of --set, read by the type of the key. What does not parse stays text and fails in
// assign().
Value read_text(const Key& key, const std::string& text) {
  Config scratch;
  const Field field = key.field(scratch);
  const char *begin = text.data(), *end = begin + text.size();
  if (std::holds_alternative<bool*>(field) && (text == "true" || text == "false")) return text == "true";
  if (std::holds_alternative<double*>(field)) {
    double number = 0;
    if (const auto [p, e] = std::from_chars(begin, end, number); e == std::errc() && p == end) return number;
  }
  if (std::holds_alternative<std::uint32_t*>(field) || std::holds_alternative<std::uint64_t*>(field)) {
    std::int64_t number = 0;
    if (const auto [p, e] = std::from_chars(begin, end, number); e == std::errc() && p == end) return number;
  }
  return text;
}

Error unknown_key(const std::string& place, const std::string& full_name) {
  const auto near = nearest_key(full_name);
  return fail(Code::kInvalid, "{}: unknown key {}{}", place, printable(full_name),
              near.empty() ? "; `dyad config` prints all keys" : "; did you mean " + near + "?");
}

Error unknown_section(const std::string& place, const std::string& name) {
  std::vector<std::string> names;
  for (const Key& key : keys())
    if (names.empty() || names.back() != key.section) names.emplace_back(key.section);
  const auto near = nearest_of(name, names);
  return fail(
      Code::kInvalid, "{}: unknown section [{}]{}", place, printable(name),
      near.empty() ? fmt::format("; sections are {}", fmt::join(names, ", ")) : "; did you mean [" + near + "]?");
}

Result<Value> value_of(const std::string& place, const std::string& full_name, const toml::node& node) {
  if (const auto* v = node.as_string()) return Value{v->get()};
  if (const auto* v = node.as_boolean()) return Value{v->get()};
  if (const auto* v = node.as_integer()) return Value{v->get()};
  if (const auto* v = node.as_floating_point()) return Value{v->get()};
  return fail(Code::kInvalid, "{}: {} is a list, a table or a date; give one text, number or true/false", place,
              full_name);
}

Status read_node(const std::string& place, const std::string& full_name, const toml::node& node, Config& config,
                 Origins& origins) {
  const Key* key = find_key(full_name);
  if (!key) return unknown_key(place, full_name);
  DYAD_TRY(value, value_of(place, full_name, node));
  origins.place[key] = place;
  return assign(place, *key, value, config);
}

// Reads all of the file and reports the error of the smallest line: the parser hands keys out in alphabetical order.
Status read_table(const std::string& file, const toml::table& root, Config& config, Origins& origins) {
  std::map<std::uint32_t, Error> errors;
  const auto note = [&](std::uint32_t line, Status status) {
    if (status.has_error()) errors.emplace(line, status.error());
  };
  const auto place = [&](const toml::source_region& at) { return fmt::format("{}:{}", file, at.begin.line); };
  for (const auto& [section, node] : root) {
    const auto& at = section.source();
    const std::string name(section.str());
    const auto* table = node.as_table();
    if (!table) note(at.begin.line, unknown_key(place(at), name));
    else if (!is_section(name)) note(at.begin.line, unknown_section(place(at), name));
    else
      for (const auto& [key, value] : *table)
        note(key.source().begin.line,
             read_node(place(key.source()), name + "." + std::string(key.str()), value, config, origins));
  }
  if (!errors.empty()) return errors.begin()->second;
  return ok();
}

Status read_file(const std::string& file, Config& config, Origins& origins) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(file, ignored))
    return fail(Code::kNotFound, "{}: cannot read the configuration file; check the path given with --config", file);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  try {
    return read_table(file, toml::parse(text, file), config, origins);
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalid, "{}:{}: not TOML: {}", file, error.source().begin.line,
                printable(error.description(), 200));
  }
}

// A variable that is no key is refused if it starts with a section's name or is nearly a key; DYAD_DEPS and its like
// pass.
Status unknown_variable(const std::string& name) {
  std::vector<std::string> names;
  bool in_section = false;
  for (const Key& key : keys()) {
    names.push_back(variable_name(key));
    in_section |= name.starts_with(std::string_view(names.back()).substr(0, names.back().size() - key.name.size()));
  }
  const auto near = nearest_of(name, names);
  if (!in_section && (near.empty() || edit_distance(name, near) > 2)) return ok();
  return fail(Code::kInvalid, "environment {}: unknown key{}", name,
              near.empty() ? "; docs/configuration.md lists all keys" : "; did you mean " + near + "?");
}

Status read_environment(Config& config, Origins& origins) {
  std::map<std::string, const Key*> by_name;
  for (const Key& key : keys()) by_name[variable_name(key)] = &key;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string text(*entry);
    const auto equals = text.find('=');
    if (!text.starts_with("DYAD_") || equals == std::string::npos) continue;
    const auto name = text.substr(0, equals);
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      DYAD_TRYV(unknown_variable(name));
      continue;
    }
    const std::string place = "environment " + name;
    DYAD_TRYV(assign(place, *found->second, read_text(*found->second, text.substr(equals + 1)), config));
    origins.place[found->second] = place;
  }
  return ok();
}

Status read_set(const std::string& set, Config& config, Origins& origins) {
  const std::string place = "--set " + set;
  const auto equals = set.find('=');
  if (equals == std::string::npos)
    return fail(Code::kInvalid, "{}: no value; write --set section.key=value, e.g. --set model.dim=64", place);
  const auto full_name = set.substr(0, equals);
  const Key* key = find_key(full_name);
  if (!key) return unknown_key(place, full_name);
  origins.place[key] = place;
  return assign(place, *key, read_text(*key, set.substr(equals + 1)), config);
}

}  // namespace

Result<Config> load(const Sources& sources) {
  Config config;
  Origins origins;
  if (!sources.file.empty()) {
    DYAD_TRYV(read_file(sources.file, config, origins));
  }
  if (sources.environment) {
    DYAD_TRYV(read_environment(config, origins));
  }
  for (const auto& set : sources.sets) {
    DYAD_TRYV(read_set(set, config, origins));
  }
  if (const auto broken = broken_rule(config)) {
    auto place = origins.place.find(broken->primary);
    if (place == origins.place.end()) place = origins.place.find(broken->other);
    return fail(Code::kInvalid, "{}: {}", place == origins.place.end() ? "default" : place->second, broken->message);
  }
  return config;
}

}  // namespace dyad::config
