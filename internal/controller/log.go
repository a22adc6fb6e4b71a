package controller

import (
	"context"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// bodyLevel is the level from which on client-go logs the bodies of requests and answers, Secrets among them.
const bodyLevel = 8

// withoutBodies makes a context whose logger never shows the body of a request, however verbose it is.
func withoutBodies(ctx context.Context) context.Context {
	logger := log.FromContext(ctx)
	if logger.GetSink() == nil {
		return ctx
	}
	return log.IntoContext(ctx, logger.WithSink(bodiless{logger.GetSink()}))
}

// bodiless is a sink that takes nothing from bodyLevel on.
type bodiless struct{ logr.LogSink }

// Enabled is for package logr.
func (b bodiless) Enabled(level int) bool { return level < bodyLevel && b.LogSink.Enabled(level) }

// WithValues is for package logr.
func (b bodiless) WithValues(keysAndValues ...any) logr.LogSink {
	return bodiless{b.LogSink.WithValues(keysAndValues...)}
}

// WithName is for package logr.
func (b bodiless) WithName(name string) logr.LogSink { return bodiless{b.LogSink.WithName(name)} }
