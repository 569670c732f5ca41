#pragma once
// What the sentence encoder reads of an item. No LibTorch here.
#include <string>
#include "common/data/types.h"

namespace dyad::encode {

// "title. Brand: B. Categories: a, b, c." without the parts that are unknown; each category once, in order. An item of
// which nothing is known gives its key.
std::string item_text(const data::Item& item);
bool has_text(const data::Item& item);       // whether that is more than the key

}  // namespace dyad::encode
