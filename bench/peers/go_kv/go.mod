module tandem/bench/go_kv

go 1.19
