#include "lab/workload.h"

#include <fmt/format.h>

#include <array>

#include "lab/command_line.h"
#include "lab/workloads/binary_trees.h"
#include "lab/workloads/gcbench.h"
#include "lab/workloads/hyperalloc.h"
#include "lab/workloads/index/index_workload.h"
#include "lab/workloads/kv/kv_workload.h"
#include "lab/workloads/quads.h"

namespace lab {
namespace {

constexpr std::array kWorkloads{index::kIndexWorkload,
#ifdef TANDEM_LAB_KV
                                kKvWorkload,
#endif
                                kBinaryTreesWorkload,  kGcBenchWorkload,   kMtGcBenchWorkload,
                                kQuadsWorkload,        kHyperAllocWorkload};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload& workload_named(const std::string& name) {
  std::string names;
  for (const Workload& workload : kWorkloads) {
    if (name == workload.name) return workload;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", workload.name);
  }
  throw UsageError(fmt::format("unknown workload '{}'; the workloads are {}", name, names));
}

}  // namespace lab
