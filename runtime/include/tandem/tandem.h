#pragma once
// Everything. Each header below stands alone and holds one concept.

#include <tandem/array.h>
#include <tandem/channel.h>
#include <tandem/context.h>
#include <tandem/go.h>
#include <tandem/heap.h>
#include <tandem/local.h>
#include <tandem/make.h>
#include <tandem/map.h>
#include <tandem/member.h>
#include <tandem/net.h>
#include <tandem/persistent.h>
#include <tandem/runtime.h>
#include <tandem/select.h>
#include <tandem/statistics.h>
#include <tandem/string.h>
#include <tandem/sync.h>
#include <tandem/task_group.h>
#include <tandem/timer.h>
#include <tandem/visitor.h>
#include <tandem/weak.h>
#include <tandem/weak_map.h>
