module tandembench

go 1.19
