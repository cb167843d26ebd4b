package main

func init() {
	addProgram("skynet", skynet)
	addProgram("sieve", sieve)
	addProgram("fib", fib)
}

func skynetNode(result chan int64, number, leaves int64) {
	if leaves == 1 {
		result <- number
		return
	}
	children := make(chan int64)
	share := leaves / 10
	for i := int64(0); i < 10; i++ {
		go skynetNode(children, number+i*share, share)
	}
	sum := int64(0)
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	result <- sum
}

func skynetOf(leaves int64) {
	result := make(chan int64)
	go skynetNode(result, 0, leaves)
	expect(<-result == leaves*(leaves-1)/2, "skynet")
}

func skynet() {
	leaves := int64(1000000)
	for leaves > 10 && leaves > scaled(1000000, 1) {
		leaves /= 10
	}
	skynetOf(leaves / 10)
	whole("skynet", leaves, func() { skynetOf(leaves) })
}

func sieveUpTo(limit int64) (primes int) {
	numbers := make(chan int64)
	go func(out chan int64) {
		for i := int64(2); i <= limit; i++ {
			out <- i
		}
		close(out)
	}(numbers)
	for {
		prime, open := <-numbers
		if !open {
			return primes
		}
		primes++
		rest := make(chan int64)
		go func(in, out chan int64) {
			for value := range in {
				if value%prime != 0 {
					out <- value
				}
			}
			close(out)
		}(numbers, rest)
		numbers = rest
	}
}

func sieve() {
	limit := scaled(17389, 100) // the 2,000th prime
	sieveUpTo(limit / 10)
	primes := 0
	whole("sieve", limit, func() { primes = sieveUpTo(limit) })
	expect(limit != 17389 || primes == 2000, "prime sieve")
}

func fibonacci(n int64) int64 {
	if n < 2 {
		return n
	}
	left := make(chan int64, 1)
	go func() { left <- fibonacci(n - 1) }()
	right := fibonacci(n - 2)
	return <-left + right
}

func fib() {
	n, expected := int64(27), int64(196418)
	if scaled(1000, 1) < 500 {
		n, expected = 20, 6765
	}
	fibonacci(n)
	result := int64(0)
	whole("fib", n, func() { result = fibonacci(n) })
	expect(result == expected, "fib")
}
