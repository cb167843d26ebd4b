// expect: a trivially copyable type with operator== and a std::hash
#include <tandem/map.h>

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};
#ifdef REPAIRED
template <>
struct std::hash<Point> {
  std::size_t operator()(const Point& point) const { return std::size_t(point.x) * 31 + std::size_t(point.y); }
};
#endif

void f() { tandem::make_map<Point, int>()->insert({1, 2}, 3); }
