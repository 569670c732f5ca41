// RecBole's atomic files (tools/prepare/import/formats.h): | x.inter | x.item |.
#include "tests/fuzz/import_with.h"

namespace dyad::fuzz {

std::vector<std::string> seeds() {
  const std::string inter = "user_id:token\titem_id:token\ttimestamp:float\n7\ta\t100\n7\tb\t90.5\n8\ta\t\n";
  const std::string items = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
                            "a\tHeat\t1995\tCrime Drama\nb\tToy Story (1995)\t\t\n";
  return {join({inter, items}), join({inter, "item_id:token\n"}),
          join({"item_id:token\tuser_id:token\r\nx\ty\r\n", "item_id:token\tbrand:token\n"})};
}

void decode(std::string_view bytes) {
  const std::vector<std::string> parts = split(bytes, 2);
  put("x.item", parts[1]);
  import_with("recbole", importer::read_recbole, {put("x.inter", parts[0])});
}

}  // namespace dyad::fuzz
