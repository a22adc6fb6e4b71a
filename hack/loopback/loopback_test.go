package loopback

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
)

func TestNobodyIsGivenWhatAnotherHas(t *testing.T) {
	seen := map[netip.AddrPort]bool{}
	for range 300 {
		address, err := Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if seen[address] {
			t.Fatalf("%s is given twice", address)
		}
		seen[address] = true
		if err := reserve(t.Context(), address); err == nil {
			t.Fatalf("%s can be reserved while another has it", address)
		}
		listener, err := net.Listen("tcp", address.String())
		if err != nil {
			t.Fatalf("who has %s cannot listen there: %v", address, err)
		}
		defer listener.Close()
	}
}

func TestWhatSomebodyListensOnIsNotGivenUntilTheyHaveGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address, err := Reserve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	awaitEnd(t, address)
	if err := reserve(t.Context(), address); err == nil {
		t.Errorf("%s is given though somebody listens there", address)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}

	if err := reserve(t.Context(), address); err != nil {
		t.Errorf("%s is not given though it is free: %v", address, err)
	}
}

// awaitEnd waits until a reservation has ended, which it does some time after its context.
func awaitEnd(t *testing.T, address netip.AddrPort) {
	t.Helper()
	for t.Context().Err() == nil {
		if held, err := net.ListenPacket("udp", address.String()); err == nil {
			if err := held.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
		runtime.Gosched()
	}
}

func TestWhoseTimeIsOverGetsNoAddress(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if address, err := Reserve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%s is given, and the error is %v", address, err)
	}
}
