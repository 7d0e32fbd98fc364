//go:build unix

package main

import "syscall"

// pause stops the process until resume, so that who is not measured costs
// nothing.
func (p *process) pause() error  { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
