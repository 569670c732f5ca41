#include "tools/prepare/import/event_sax.h"

#include "tools/prepare/import/formats.h"

namespace dyad::importer {

bool EventSax::key(std::string& name) {
  if (depth_ == 2) inner_ = name;
  if (depth_ != 1) return true;
  current_ = nullptr;
  for (Field& field : fields_)
    if (!field.name.empty() && field.name == name) current_ = &field;
  if (current_ == nullptr) {
    const auto found = others_.find(name);
    other_is_suspect_ = found != others_.end() ? found->second : may_be_history(name, Holds::kText);
    if (found == others_.end() && (others_.size() < kOthersMax || is_ignored(given_, name)))
      others_.emplace(name, other_is_suspect_);
    other_ = name;
    return true;
  }
  if (current_->seen) twice = current_->name;
  current_->seen = true;
  return twice.empty();
}

bool EventSax::string(std::string& v) {
  if (current_ == nullptr && depth_ == 1 && other_is_suspect_ && is_several(v)) suspect(Holds::kText);
  return take(v);
}

bool EventSax::number_float(double, const std::string& digits) {   // also a whole number of more than 64 bits
  if (current_ != nullptr && digits.find_first_of(".eE") != std::string::npos) current_->whole = false;
  return take(digits);
}

void EventSax::note_element() {                            // a scalar in a list that nobody reads?
  if (depth_ == 2 && other_is_list_ && may_be_history(other_, Holds::kLists)) suspect(Holds::kLists);
}

void EventSax::suspect(Holds holds) {
  if (!suspected.empty() || is_ignored(given_, other_)) return;
  suspected = other_;
  suspect_holds = holds;
}

void EventSax::open_unread(bool object) {
  if (depth_ == 1) other_is_list_ = !object;
  const bool by_name = depth_ == 1 && may_be_history(other_, Holds::kNested);
  // {"context": {"items": [...]}}
  const bool within = depth_ == 2 && !other_is_list_ && !object && may_be_history(inner_, Holds::kText);
  if (by_name || within) suspect(depth_ == 1 && !object ? Holds::kLists : Holds::kNested);
}

bool EventSax::take(const std::string& text) {
  if (current_ != nullptr && depth_ == 1) current_->text = text;
  else if (current_ != nullptr) current_->items.push_back(text);   // of the list that is open
  else note_element();
  return done();
}

bool EventSax::open(bool object) {
  if (depth_ == 0) object_at_top = object;
  if (current_ == nullptr) open_unread(object);
  if (depth_ == 1 && current_ != nullptr && !object) current_->list = true;
  else if (depth_ >= 1 && current_ != nullptr) current_->good = false;
  ++depth_;
  return true;
}

}  // namespace dyad::importer
