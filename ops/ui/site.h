#pragma once
// What `dyad ui` serves: the page, each job's status, its code trees and what its model recommends. Reads alone.
//   /                                                  the page
//   /N/status.json                                     N: the job's number, from 0
//   /N/tree/STREAM/NODE/FROM                           code_tree.h
//   /N/model                                           which model is asked (explorer.h)
//   /N/users/PART  /N/items/PART                       names that hold PART; all without it
//   /N/recommend/{keep|drop}/{next|test}/KEY           to a user; test: without his last item, which is wanted
//   /N/recommend/{keep|drop}/items/ITEM/ITEM ..        after items, oldest first
// Parts are percent-encoded. 202 and {"loading": ..} while data or a model are loaded: ask again. Errors are
// {"error": ..}. Of all jobs one model is in memory at a time. Threads: answer() from one.
#include <memory>
#include <string>
#include <vector>
#include "common/http/server.h"
#include "ops/launch/job_page.h"
#include "ops/ui/background.h"
#include "ops/ui/code_tree.h"
#include "ops/ui/explorer.h"

namespace dyad::ops {

// "/a%20b/c" -> "a b", "c". A sequence that is none stays as it is.
std::vector<std::string> parts_of_path(const std::string& path);

class Site {
 public:
  static Result<std::unique_ptr<Site>> open(const std::vector<std::string>& runs);
  std::size_t jobs() const { return jobs_.size(); }
  const std::string& name(std::size_t job) const { return jobs_[job].page.name(); }
  http::Answer answer(const std::string& path);

 private:
  using Parts = std::vector<std::string>;
  struct Job {
    JobPage page;
    std::unique_ptr<Background<CodeTrees>> trees;
  };
  struct Model {
    std::size_t job = 0;
    std::filesystem::path checkpoint;
    std::unique_ptr<Background<std::unique_ptr<Explorer>>> explorer;
  };
  Site() = default;
  http::Answer of_job(std::size_t job, const Parts& parts);
  Result<nlohmann::json> tree(std::size_t job, const Parts& parts);
  Result<nlohmann::json> explore(std::size_t job, const Parts& parts);
  Result<Explorer*> explorer(std::size_t job);

  std::string page_;
  std::vector<Job> jobs_;
  std::unique_ptr<Model> model_;
};

}  // namespace dyad::ops
