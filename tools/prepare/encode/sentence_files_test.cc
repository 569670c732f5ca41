// What the folder of a sentence encoder declares is computed, or refused by its name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <nlohmann/json.hpp>
#include "common/io/safetensors_write.h"
#include "common/io/temp_folder.h"
#include "tools/prepare/encode/plain_bert.h"
#include "tools/prepare/encode/sentence_encoder.h"
#include "tools/prepare/encode/wordpiece.h"

namespace dyad::encode {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

class SentenceFiles : public testing::Test {
 protected:
  SentenceFiles() { plain_.write(folder_.path(), ""); }
  void put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  void modules(const std::vector<std::string>& types) {
    Json list = Json::array();
    for (std::size_t i = 0; i < types.size(); ++i)
      list.push_back({{"idx", i},
                      {"name", std::to_string(i)},
                      {"path", i == 0 ? "" : fmt::format("{}_{}", i, types[i])},
                      {"type", "sentence_transformers.models." + types[i]}});
    put("modules.json", list.dump());
  }
  void pooling(const std::string& mode) {
    put("1_Pooling/config.json", Json{{"word_embedding_dimension", kHidden}, {"pooling_mode_" + mode, true}}.dump());
  }
  std::string error() const {
    const auto opened = SentenceEncoder::open(folder_.path());
    return opened ? "opened" : opened.error().message;
  }
  void expect(const std::string& text, const Vec& expected) const {
    const auto encoder = SentenceEncoder::open(folder_.path());
    ASSERT_TRUE(encoder.has_value()) << encoder.error().message;
    const auto rows = encoder.value().encode({text, "tea"}, {.batch = 2}).value();
    ASSERT_EQ(rows.cols, expected.size());
    for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(rows.row(0)[c], expected[c], 2e-5) << c;
  }
  // vocab.txt: [PAD] [UNK] [CLS] [SEP] rose water , ##s tea
  const std::vector<std::int32_t> ids_{2, 4, 7, 5, 3};
  const std::string text_ = "Roses water";
  PlainBert plain_{3};
  io::TempFolder folder_;
};

TEST_F(SentenceFiles, PoolingIsWhatItsConfigSays) {
  modules({"Transformer", "Pooling"});
  const Rows rows = plain_.tokens(ids_);
  Vec most = rows[0];
  for (const Vec& row : rows)
    for (std::size_t c = 0; c < kHidden; ++c) most[c] = std::max(most[c], row[c]);
  pooling("cls_token");
  expect(text_, PlainBert::unit(rows[0]));
  pooling("max_tokens");
  expect(text_, PlainBert::unit(most));
  pooling("mean_tokens");
  expect(text_, plain_.encode(ids_));
  put("1_Pooling/config.json", R"({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true})");
  Vec both = rows[0];
  both.insert(both.end(), most.begin(), most.end());
  expect(text_, PlainBert::unit(both));
  put("1_Pooling/config.json", "\xef\xbb\xbf{\"pooling_mode_max_tokens\": true,\r\n"
                               "\"pooling_mode_mean_tokens\": false}");
  expect(text_, PlainBert::unit(most));
  put("1_Pooling/config.json", R"({"pooling_mode": "cls"})");
  expect(text_, PlainBert::unit(rows[0]));
  for (const std::string bad : {"weightedmean_tokens", "lasttoken", "attention"}) {
    pooling(bad);
    EXPECT_THAT(error(), AllOf(HasSubstr("1_Pooling/config.json"), HasSubstr("pooling_mode_" + bad)));
  }
  put("1_Pooling/config.json", "{}");
  EXPECT_THAT(error(), HasSubstr("pooling_mode is not read"));
}

TEST_F(SentenceFiles, DenseLayersAndNormalizeFollowInTheirOrder) {
  modules({"Transformer", "Pooling", "Normalize", "Dense"});
  pooling("mean_tokens");
  put("3_Dense/config.json", R"({"in_features": 8, "out_features": 3, "bias": true,
                                "activation_function": "torch.nn.modules.activation.Tanh"})");
  EXPECT_THAT(error(), HasSubstr("3_Dense/model.safetensors is missing; save the model with safe_serialization"));
  std::vector<float> weight(3 * kHidden), bias{0.1f, -0.2f, 0.3f};
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = 0.1f * static_cast<float>(i % 7) - 0.2f;
  ASSERT_TRUE(io::write_safetensors(folder_ / "3_Dense/model.safetensors",
                                    {{"linear.weight", io::make_tensor<float>({3, kHidden}, weight)},
                                     {"linear.bias", io::make_tensor<float>({3}, bias)}})
                  .has_value());
  const Vec mean = plain_.encode(ids_);
  Vec out;
  for (std::size_t o = 0; o < 3; ++o) {
    double sum = bias[o];
    for (std::size_t c = 0; c < kHidden; ++c) sum += weight[o * kHidden + c] * mean[c];
    out.push_back(std::tanh(sum));
  }
  expect(text_, PlainBert::unit(out));
  put("3_Dense/config.json", R"({"in_features": 8, "out_features": 3, "activation_function": "torch.nn.Mish"})");
  EXPECT_THAT(error(), HasSubstr("activation_function is \"torch.nn.Mish\""));
  put("3_Dense/config.json", R"({"in_features": 5, "out_features": 3})");
  EXPECT_THAT(error(), HasSubstr("rows of 5 after rows of 8"));
  put("3_Dense/config.json", R"({"in_features": 8, "out_features": 3, "bias": false})");
  EXPECT_THAT(error(), HasSubstr("has linear.bias, and the config.json beside it says that there is no bias"));
  put("3_Dense/config.json", R"({"in_features": 8.5, "out_features": 3})");
  EXPECT_THAT(error(), HasSubstr("in_features is 8.5, wanted a whole number"));
  std::filesystem::remove(folder_ / "3_Dense/config.json");
  EXPECT_THAT(error(), HasSubstr("3_Dense/config.json is missing"));
  modules({"Transformer", "Pooling", "CNN"});
  EXPECT_THAT(error(), AllOf(HasSubstr("modules.json"), HasSubstr("CNN")));
}

TEST_F(SentenceFiles, ShardsAreOneModel) {
  std::map<std::string, io::Tensor> parts[2];
  Json map = Json::object();
  std::size_t n = 0;
  for (const auto& [name, values] : plain_.w) {
    const auto file = fmt::format("model-0000{}-of-00002.safetensors", n % 2 + 1);
    parts[n++ % 2][name] = io::make_tensor<float>(plain_.shape.at(name), values);
    map[name] = file;
  }
  for (int p = 0; p < 2; ++p)
    ASSERT_TRUE(
        io::write_safetensors(folder_ / fmt::format("model-0000{}-of-00002.safetensors", p + 1), parts[p]).has_value());
  std::filesystem::remove(folder_ / "model.safetensors");
  EXPECT_THAT(error(), HasSubstr("no model.safetensors and no model.safetensors.index.json"));
  put("model.safetensors.index.json", Json{{"weight_map", map}}.dump());
  expect(text_, plain_.encode(ids_));
  std::filesystem::remove(folder_ / "model-00002-of-00002.safetensors");
  EXPECT_THAT(error(), HasSubstr("model-00002-of-00002.safetensors is missing, and model.safetensors.index.json names "
                                 "it"));
  put("model.safetensors.index.json", R"({"weight_map": {"a": "../x"}})");
  EXPECT_THAT(error(), HasSubstr("a is in no file of the folder"));
}

// tokenizer.json as the published library writes BERT's.
Json fast_tokenizer() {
  const auto special = [](const char* name, int id) {
    return Json{{"id", name}, {"ids", Json::array({id})}, {"tokens", Json::array({name})}};
  };
  return {{"version", "1.0"},
          {"truncation", {{"direction", "Right"}, {"max_length", 128}}},
          {"padding", nullptr},
          {"model",
           {{"type", "WordPiece"},
            {"vocab",
             {{"[PAD]", 0}, {"[UNK]", 1}, {"[CLS]", 2}, {"[SEP]", 3}, {"rose", 4}, {"water", 5}, {",", 6}, {"##s", 7},
              {"tea", 8}}}}},
          {"normalizer", {{"type", "BertNormalizer"}, {"lowercase", true}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", Json::array({{{"SpecialToken", {{"id", "[CLS]"}, {"type_id", 0}}}},
                                    {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                    {{"SpecialToken", {{"id", "[SEP]"}, {"type_id", 0}}}}})},
            {"special_tokens", {{"[CLS]", special("[CLS]", 2)}, {"[SEP]", special("[SEP]", 3)}}}}}};
}

// A section that was null or absent was taken for BERT's.
TEST_F(SentenceFiles, TokenizerJsonDoesWhatBertsDoesOrIsRefused) {
  struct Case { const char *at; Json value; std::string named; };
  const Json cls = {"[CLS]", 2}, sep = {"[SEP]", 3};
  const auto bert = [](const Json& c, const Json& s) {
    return Json{{"type", "BertProcessing"}, {"cls", c}, {"sep", s}};
  };
  put("tokenizer.json", fast_tokenizer().dump());
  expect(text_, plain_.encode(ids_));
  Json good = fast_tokenizer();
  good["post_processor"] = bert(cls, sep);
  put("tokenizer.json", good.dump());
  expect(text_, plain_.encode(ids_));
  for (const Case& c : std::vector<Case>{
           {"/normalizer", nullptr, "normalizer is missing"},
           {"/pre_tokenizer", nullptr, "pre_tokenizer is missing"},
           {"/post_processor", nullptr, "post_processor is missing"},
           {"/normalizer", Json::object(), "normalizer: type is missing"},
           {"/pre_tokenizer", Json::object(), "pre_tokenizer: type is missing"},
           {"/post_processor", Json::object(), "post_processor: type is \"\""},
           {"/post_processor", bert(sep, cls), "cls is [\"[SEP]\",3]"},
           {"/post_processor", bert({"[CLS]", 1}, sep), "cls is [\"[CLS]\",1]"},
           {"/post_processor", bert(cls, nullptr), "sep is missing"},
           {"/post_processor/single", nullptr, "single is missing"},
           {"/post_processor/special_tokens/[SEP]/ids", Json::array({1}), "[SEP]: ids is [1]"},
           {"/truncation/direction", "Left", "truncation: direction is \"Left\""},
           {"/padding", {{"direction", "Left"}}, "padding: direction is \"Left\""},
           {"/model/type", nullptr, "model: type is missing"}}) {
    for (const bool absent : {false, true}) {
      Json file = fast_tokenizer();
      const Json::json_pointer at(c.at);
      file[at] = c.value;
      if (absent && c.value.is_null()) file[at.parent_pointer()].erase(at.back());
      put("tokenizer.json", file.dump());
      EXPECT_THAT(error(), AllOf(HasSubstr("tokenizer.json"), HasSubstr(c.named)));
    }
  }
}

TEST_F(SentenceFiles, TheVocabularyMayBeInTokenizerJson) {
  const Json vocabulary = fast_tokenizer()["model"]["vocab"];
  const auto with = [&](Json model, const Json& more = Json::object()) {
    Json file = fast_tokenizer();
    file.update(more);
    file["model"] = std::move(model);
    put("tokenizer.json", file.dump());
  };
  with({{"type", "WordPiece"}, {"vocab", vocabulary}});
  expect(text_, plain_.encode(ids_));
  std::filesystem::remove(folder_ / "vocab.txt");
  expect(text_, plain_.encode(ids_));
  with({{"type", "WordPiece"}, {"vocab", vocabulary}},
       {{"normalizer", {{"type", "BertNormalizer"}, {"lowercase", false}}}});
  expect(text_, plain_.encode({2, 1, 5, 3}));
  put("tokenizer_config.json", R"({"do_lower_case": true})");
  expect(text_, plain_.encode(ids_));
  with({{"type", "BPE"}, {"vocab", vocabulary}});
  EXPECT_THAT(error(), AllOf(HasSubstr("tokenizer.json: model"), HasSubstr("type is \"BPE\"")));
  with({{"type", "WordPiece"}, {"vocab", Json::object()}});
  EXPECT_THAT(error(), HasSubstr("tokenizer.json: no [PAD] among 0 pieces"));
  with({{"type", "WordPiece"}, {"vocab", vocabulary}}, {{"pre_tokenizer", {{"type", "Whitespace"}}}});
  EXPECT_THAT(error(), HasSubstr("type is \"Whitespace\""));
  with({{"type", "WordPiece"}, {"vocab", vocabulary}}, {{"post_processor", {{"type", "RobertaProcessing"}}}});
  EXPECT_THAT(error(), HasSubstr("RobertaProcessing"));
  put("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
  with({{"type", "WordPiece"}, {"vocab", vocabulary}});
  EXPECT_THAT(error(), HasSubstr("different vocabularies"));
  std::filesystem::remove(folder_ / "vocab.txt");
  std::filesystem::remove(folder_ / "tokenizer.json");
  EXPECT_THAT(error(), HasSubstr("neither tokenizer.json nor vocab.txt"));
}

TEST_F(SentenceFiles, TheTokenizersSettingsAreTakenAndUnknownOnesRefused) {
  put("tokenizer_config.json", R"({"do_lower_case": false, "tokenizer_class": "BertTokenizer"})");
  expect(text_, plain_.encode({2, 1, 5, 3}));
  put("sentence_bert_config.json", R"({"max_seq_length": 9, "do_lower_case": true})");
  expect(text_, plain_.encode(ids_));
  put("sentence_bert_config.json", "{}");
  put("tokenizer_config.json", R"({"model_max_length": 4})");
  expect(text_, plain_.encode({2, 4, 7, 3}));
  put("sentence_bert_config.json", R"({"max_seq_length": 3})");
  expect(text_, plain_.encode({2, 4, 3}));
  put("config_sentence_transformers.json", R"({"prompts": {"p": "tea "}, "default_prompt_name": "p"})");
  put("sentence_bert_config.json", "{}");
  expect(text_, plain_.encode({2, 8, 4, 3}));
}

TEST_F(SentenceFiles, WhatIsNotComputedIsRefusedByFileAndKey) {
  struct Case { std::string file, json, named; };
  for (const Case& c : std::vector<Case>{
           {"config.json", R"({"position_embedding_type": "relative_key"})", "position_embedding_type"},
           {"config.json", R"({"model_type": "roberta"})", "model_type is \"roberta\""},
           {"config.json", R"({"architectures": ["MPNetForMaskedLM"]})", "MPNetForMaskedLM"},
           {"config.json", R"({"hidden_act": "quick_gelu"})", "hidden_act is \"quick_gelu\""},
           {"config.json", R"({"hidden_act": ["gelu"]})", "hidden_act is array"},
           {"config.json", R"({"hidden_act": 7})", "hidden_act is 7"},
           {"config.json", R"({"num_hidden_layers": 1})", "num_hidden_layers is 1, the weights have 2"},
           {"config.json", R"({"num_attention_heads": "two"})", "num_attention_heads"},
           {"config.json", R"({"num_attention_heads": 4.5})", "num_attention_heads is 4.5, wanted a whole number"},
           {"config.json", R"({"num_attention_heads": -2})", "num_attention_heads is -2, wanted a whole number"},
           {"config.json", R"({"num_attention_heads": 3})", "3 heads do not make a BERT"},
           {"config.json", "{}", "num_attention_heads is missing"},
           {"config.json", R"({"is_decoder": true})", "is_decoder"},
           {"config.json", R"({"rope_theta": 10000})", "rope_theta (10000) is not known"},
           {"config.json", "[]", "not a JSON object"},
           {"tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})", "RobertaTokenizer"},
           {"tokenizer_config.json", R"({"do_basic_tokenize": false})", "do_basic_tokenize"},
           {"tokenizer_config.json", R"({"truncation_side": "left"})", "truncation_side"},
           {"tokenizer_config.json", R"({"added_tokens_decoder": {"9": {"content": "<x>"}}})", "<x>"},
           {"tokenizer_config.json", R"({"do_lower_case": "yes"})", "do_lower_case"},
           {"tokenizer_config.json", R"({"split_on_dashes": true})", "split_on_dashes"},
           {"added_tokens.json", R"({"<x>": 8})", "<x>"},
           {"sentence_bert_config.json", R"({"max_seq_length": 1})", "at least 2"},
           {"tokenizer_config.json", R"({"padding_side": "left"})", "padding_side"},
           {"sentence_bert_config.json", R"({"max_seq_length": 4.5})", "max_seq_length is 4.5"},
           {"sentence_bert_config.json", R"({"stride": 4})", "stride"},
           {"sentence_roberta_config.json", R"({"max_seq_length": 4})", "it may change the vectors"},
           {"adapter_config.json", R"({"peft_type": "LORA"})", "it may change the vectors"},
           {"adapter_model.safetensors", "", "it may change the vectors"},
           {"config_sentence_transformers.json", R"({"default_prompt_name": "q"})", "prompts has no such"},
           {"modules.json", R"([{"idx": 0, "type": "sentence_transformers.models.Transformer"}])",
            "1 modules"},
           {"modules.json", R"([{"idx": 0, "type": "custom_st.Transformer"}])", "module 0 is custom_st.Transformer"},
           {"modules.json", R"([{"idx": 0, "type": "Transformer"}])", "module 0 is Transformer"},
           {"modules.json", R"([{"idx": 0, "type": "sentence_transformers.models.Pooling"}])",
            "module 0 is sentence_transformers.models.Pooling"}}) {
    const io::TempFolder fresh;
    plain_.write(fresh.path(), "");
    std::ofstream(fresh / c.file) << c.json;
    const auto opened = SentenceEncoder::open(fresh.path());
    ASSERT_FALSE(opened.has_value()) << c.json;
    EXPECT_EQ(opened.error().code, Code::kInvalid);
    EXPECT_THAT(opened.error().message, AllOf(HasSubstr(c.file), HasSubstr(c.named)));
  }
}

// A dense layer beside the model that modules.json did not list was passed over.
TEST_F(SentenceFiles, AModuleFolderThatIsNotListedIsRefused) {
  pooling("mean_tokens");
  expect(text_, plain_.encode(ids_));
  put("2_Dense/config.json", R"({"in_features": 8, "out_features": 3})");
  EXPECT_THAT(error(), HasSubstr("2_Dense is a module that modules.json does not list"));
  modules({"Transformer", "Pooling"});
  EXPECT_THAT(error(), HasSubstr("2_Dense is a module that modules.json does not list"));
  std::filesystem::remove_all(folder_ / "2_Dense");
  expect(text_, plain_.encode(ids_));
  std::filesystem::remove(folder_ / "1_Pooling/config.json");
  EXPECT_THAT(error(), HasSubstr("1_Pooling/config.json is missing"));
  std::filesystem::remove(folder_ / "modules.json");
  EXPECT_THAT(error(), HasSubstr("1_Pooling/config.json is missing"));
}

TEST_F(SentenceFiles, WhatIsNotThereIsSaid) {
  EXPECT_THAT(SentenceEncoder::open(folder_ / "nowhere/all-MiniLM").error().message,
              AllOf(HasSubstr("no folder"), HasSubstr("nothing is fetched by a model's name")));
  EXPECT_THAT(SentenceEncoder::open(folder_ / "vocab.txt").error().message, HasSubstr("is no folder"));
  for (const std::string file : {"model.safetensors", "vocab.txt", "config.json"}) {
    const io::TempFolder fresh;
    plain_.write(fresh.path(), "");
    std::ofstream(fresh / file) << "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n";
    const auto opened = SentenceEncoder::open(fresh.path());
    ASSERT_FALSE(opened.has_value());
    EXPECT_THAT(opened.error().message, HasSubstr(file + ": a git-lfs pointer"));
  }
  std::filesystem::remove(folder_ / "config.json");
  EXPECT_THAT(error(), HasSubstr("config.json is missing"));
}

TEST_F(SentenceFiles, LayerNormsOfOldExportsAreReadUnderTheirOldNames) {
  std::map<std::string, io::Tensor> tensors;
  for (const auto& [name, values] : plain_.w) {
    std::string old = name;
    for (const auto& [now, before] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"),
                                      {"LayerNorm.bias", "LayerNorm.beta"}})
      if (old.ends_with(now)) old.replace(old.find(now), std::string::npos, before);
    tensors[old] = io::make_tensor<float>(plain_.shape.at(name), values);
  }
  ASSERT_FALSE(tensors.contains("embeddings.LayerNorm.weight"));
  ASSERT_TRUE(io::write_safetensors(folder_ / "model.safetensors", tensors).has_value());
  expect(text_, plain_.encode(ids_));
}

TEST_F(SentenceFiles, ATensorThatIsNoPartOfABertIsRefusedAndThePoolerIsNot) {
  const std::vector<float> values(kHidden);
  const auto write = [&](const std::string& name) {
    std::map<std::string, io::Tensor> tensors{{name, io::make_tensor<float>({kHidden}, values)}};
    for (const auto& [other, floats] : plain_.w)
      tensors[other] = io::make_tensor<float>(plain_.shape.at(other), floats);
    ASSERT_TRUE(io::write_safetensors(folder_ / "model.safetensors", tensors).has_value());
  };
  write("pooler.dense.bias");
  expect(text_, plain_.encode(ids_));
  write("encoder.layer.0.attention.self.distance_embedding.weight");
  EXPECT_THAT(error(), HasSubstr("distance_embedding.weight is no part of a BERT"));
}

}  // namespace
}  // namespace dyad::encode
