#pragma once
// What a file of a model's folder declares. Each key is read, known to change nothing, or refused by its name: a
// setting that is passed over in silence gives vectors that look right and are not.
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>
#include "common/base/result.h"

namespace dyad::encode {

class Declared {
 public:
  // A file that is not there declares nothing. Fails with kInvalid if it is not a JSON object.
  static Result<Declared> open(const std::filesystem::path& file);
  // A file that must be there. Fails with kNotFound if it is not.
  static Result<Declared> open_present(const std::filesystem::path& file);
  Declared(nlohmann::json object, std::string where) : json_(std::move(object)), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  // The value of a key, or nothing where it is absent or null; it counts as read.
  const nlohmann::json* find(const std::string& key);
  // Fail with kInvalid naming file and key if it is of another type.
  Result<std::optional<double>> number(const std::string& key);
  Result<std::optional<double>> whole(const std::string& key);        // a number without a fraction, not negative
  Result<std::optional<bool>> flag(const std::string& key);
  Result<std::optional<std::string>> text(const std::string& key);
  Result<Declared> object(const std::string& key);           // an absent one declares nothing
  // The key is absent or `value`. Fails with kInvalid: "FILE: key is X; only Y is read".
  Status require(const std::string& key, const nlohmann::json& value);
  // The same, and fails if the key is absent or null.
  Status demand(const std::string& key, const nlohmann::json& value);

  void harmless(std::initializer_list<const char*> keys) { read_.insert(keys.begin(), keys.end()); }
  // Fails with kInvalid naming a key that was neither read nor harmless and is not null, false or empty.
  Status finish() const;

 private:
  Error wrong(const std::string& key, const char* wanted) const;
  nlohmann::json json_;
  std::string where_;
  std::set<std::string> read_;
};

}  // namespace dyad::encode
