#include "tools/prepare/encode/declared.h"
#include <cmath>
#include "common/base/printable.h"
#include "common/io/atomic_file.h"
#include "common/io/files.h"
#include "tools/prepare/encode/model_folder.h"

namespace dyad::encode {
namespace {

using Json = nlohmann::json;

// For messages: long lists and objects are only named.
std::string shown(const Json& value) {
  return value.is_structured() && value.size() > 8 ? value.type_name() : printable(value.dump());
}

bool says_nothing(const Json& value) {
  return value.is_null() || (value.is_boolean() && !value.get<bool>()) || (value.is_structured() && value.empty()) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

}  // namespace

Result<Declared> Declared::open(const std::filesystem::path& file) {
  DYAD_TRY(there, io::exists(file));
  if (!there) return Declared(Json::object(), file.string());
  DYAD_TRYV(check_is_fetched(file));
  DYAD_TRY(text, io::read_file(file));
  auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::kInvalid, "{}: not a JSON object; fetch the model again", file.string());
  return Declared(std::move(json), file.string());
}

Result<Declared> Declared::open_present(const std::filesystem::path& file) {
  DYAD_TRY(there, io::exists(file));
  if (!there) return fail(Code::kNotFound, "{} is missing; fetch the whole model again", file.string());
  return open(file);
}

const Json* Declared::find(const std::string& key) {
  read_.insert(key);
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

Error Declared::wrong(const std::string& key, const char* wanted) const {
  return fail(Code::kInvalid, "{}: {} is {}, wanted {}; fetch the model again", where_, key, shown(json_.at(key)),
              wanted);
}

Result<std::optional<double>> Declared::number(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<double>();
  if (!value->is_number()) return wrong(key, "a number");
  return std::optional(value->get<double>());
}

Result<std::optional<double>> Declared::whole(const std::string& key) {
  DYAD_TRY(value, number(key));
  if (value && (*value < 0 || *value != std::floor(*value))) return wrong(key, "a whole number");
  return value;
}

Result<std::optional<bool>> Declared::flag(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_boolean()) return wrong(key, "true or false");
  return std::optional(value->get<bool>());
}

Result<std::optional<std::string>> Declared::text(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return wrong(key, "a text");
  return std::optional(value->get<std::string>());
}

Result<Declared> Declared::object(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) return Declared(Json::object(), where_ + ": " + key);
  if (!value->is_object()) return wrong(key, "an object");
  return Declared(*value, where_ + ": " + key);
}

Status Declared::require(const std::string& key, const Json& value) {
  const Json* found = find(key);
  if (found == nullptr || *found == value) return ok();
  return fail(Code::kInvalid, "{}: {} is {}; only {} is read", where_, key, shown(*found), value.dump());
}

Status Declared::demand(const std::string& key, const Json& value) {
  if (find(key) == nullptr)
    return fail(Code::kInvalid, "{}: {} is missing; only {} is read", where_, key, value.dump());
  return require(key, value);
}

Status Declared::finish() const {
  for (const auto& [key, value] : json_.items())
    if (!read_.contains(key) && !says_nothing(value))
      return fail(Code::kInvalid,
                  "{}: {} ({}) is not known to this encoder; if it changes nothing, take the key out of a copy of the "
                  "folder, else encode elsewhere and give the vectors to `dyad encode import`",
                  where_, printable(key), shown(value));
  return ok();
}

}  // namespace dyad::encode
