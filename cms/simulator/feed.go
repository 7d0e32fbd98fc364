package simulator

// Feed has the Call Bridge's calls and legs driven at the pace of its posts:
// next is called whenever no record waits for its receiver, drives a step, and
// returns false when it was the last. So the API is at most a step ahead of the
// records, however fast they are taken. next runs in the goroutine that posts
// and may wait for its time, but must return when the cluster closes; nil takes
// the feed away. Cluster.Wait sees its end. It is made for Call Bridges with
// one receiver.
func (b *Bridge) Feed(next func() bool) {
	defer b.lock()()
	b.feed = next
	b.wake()
	b.cluster.touch()
}

// Fed tells whether the Call Bridge has no feed, or no more.
func (b *Bridge) Fed() bool {
	defer b.lock()()
	return b.feed == nil
}
