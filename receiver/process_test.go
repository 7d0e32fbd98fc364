package receiver

import (
	"syscall"
	"testing"
	"time"
)

// needFiles skips a test that needs more open files than may be had.
func needFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	if uint64(limit.Cur) >= n {
		return
	}
	limit.Cur = min(limit.Max, n)
	if uint64(limit.Cur) < n {
		t.Skipf("at most %d files may be open, it takes %d", limit.Max, n)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
}

// processorTime is how long this process has computed.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
