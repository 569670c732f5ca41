#include "common/tables/tables_json.h"

#include <nlohmann/json.hpp>

namespace dyad {

void to_json(nlohmann::json& json, const TableSpec& t) {
  const RowOptimizerOptions& o = t.optimizer;
  json = {{"name", t.name},           {"width", t.width},     {"key_end", t.key_end}, {"seed", t.seed},
          {"stream", t.stream},       {"init_std", t.init_std}, {"optimizer", o.name}, {"beta1", o.beta1},
          {"beta2", o.beta2},         {"eps", o.eps},         {"weight_decay", o.weight_decay}, {"clip", o.clip}};
}

void from_json(const nlohmann::json& json, TableSpec& t) {
  RowOptimizerOptions& o = t.optimizer;
  json.at("name").get_to(t.name);
  json.at("width").get_to(t.width);
  json.at("key_end").get_to(t.key_end);
  json.at("seed").get_to(t.seed);
  json.at("stream").get_to(t.stream);
  json.at("init_std").get_to(t.init_std);
  json.at("optimizer").get_to(o.name);
  json.at("beta1").get_to(o.beta1);
  json.at("beta2").get_to(o.beta2);
  json.at("eps").get_to(o.eps);
  json.at("weight_decay").get_to(o.weight_decay);
  json.at("clip").get_to(o.clip);
}

}  // namespace dyad
