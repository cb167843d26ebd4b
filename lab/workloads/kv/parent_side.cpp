#include "lab/workloads/kv/parent_side.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lab/workloads/kv/fill.h"
#include "lab/workloads/kv/load.h"

namespace lab::kv_load {

nlohmann::json answer_kv(const RunRequest& request, const nlohmann::json& question) {
  if (question.contains("load")) return run_load(request.kv, question["load"].get<std::uint16_t>());
  fill(request.kv, question.at("fill").get<std::uint16_t>());
  return nlohmann::json::object();
}

void describe_input(const KvRequest& request, nlohmann::json& result) {
  const std::uint32_t keys = key_count(request);
  result["input_text"] = fmt::format(
      "{} keys with values of {} bytes; {} requests/s ({} arrivals, seed {}) over {} connections for {} s, {:.0f}% of "
      "them "
      "writes: {:.3g} MB/s",
      keys, request.value, request.rate, request.arrivals, request.seed, request.connections, request.seconds,
      100 * request.writes, request.rate * request.writes * request.value / 1e6);
  result["input"] = {{"keys", keys}};
}

}  // namespace lab::kv_load
