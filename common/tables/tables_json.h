#pragma once
// Tables as JSON, for manifests and the journal: a list of objects with the fields' names. Reading throws
// nlohmann::json::exception for what is missing or of another type; what the values say is for check(Tables).
#include <nlohmann/json_fwd.hpp>
#include "common/tables/tables.h"

namespace dyad {   // where argument-dependent lookup finds them

void to_json(nlohmann::json& json, const TableSpec& table);
void from_json(const nlohmann::json& json, TableSpec& table);

}  // namespace dyad
