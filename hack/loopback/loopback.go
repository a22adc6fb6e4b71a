// Package loopback gives addresses to programs that have to be told where to listen.
package loopback

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
)

// Ports are reserved below those that systems give to whoever asks for any (Linux from 32768, others from 49152): a
// connection or a server that comes between a reservation and its use would take one of those.
const (
	firstPort, ports = 16384, 16384
	attempts         = 1000
)

// Reserve gives an address of 127.0.0.1 on which nobody listens for TCP. Nobody who asks here, in this process or in
// another one, is given it again before ctx ends. It fails if ctx has ended, or if no port is free.
func Reserve(ctx context.Context) (netip.AddrPort, error) {
	var err error
	for range attempts {
		if err := ctx.Err(); err != nil {
			return netip.AddrPort{}, err
		}
		port := uint16(firstPort + rand.IntN(ports)) //nolint:gosec // nobody guards it
		address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
		if err = reserve(ctx, address); err == nil {
			return address, nil
		}
	}
	return netip.AddrPort{}, err
}

// reserve holds an address by its port for UDP, for which nobody has a use: the system keeps count, and forgets a
// process that dies.
func reserve(ctx context.Context, address netip.AddrPort) error {
	var config net.ListenConfig
	held, err := config.ListenPacket(ctx, "udp", address.String())
	if err != nil {
		return err
	}
	listener, err := config.Listen(ctx, "tcp", address.String())
	if err != nil {
		return errors.Join(err, held.Close())
	}
	if err := listener.Close(); err != nil {
		return errors.Join(err, held.Close())
	}
	context.AfterFunc(ctx, func() { _ = held.Close() }) // there is nothing to lose in it
	return nil
}
