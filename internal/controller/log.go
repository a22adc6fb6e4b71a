package controller

import (
	"slices"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// bodyLevel is the level from which on client-go logs the bodies of requests and responses, Secrets among them.
const bodyLevel = 8

// SafeLogger returns the logger that every client of the process must log with: it drops what client-go logs of request
// and response bodies, however verbose it is.
func SafeLogger(logger logr.Logger) logr.Logger {
	if logger.GetSink() == nil {
		return logger
	}
	return logger.WithSink(safeSink{logger.GetSink()})
}

// safeSink drops everything from bodyLevel on.
type safeSink struct{ logr.LogSink }

// Enabled implements logr.LogSink.
func (s safeSink) Enabled(level int) bool { return level < bodyLevel && s.LogSink.Enabled(level) }

// Error implements logr.LogSink. The API server refuses events in a namespace that is terminating; client-go reports
// that as an error, but every deletion of a namespace causes it.
func (s safeSink) Error(err error, message string, keysAndValues ...any) {
	if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		s.LogSink.Error(err, message, keysAndValues...)
		return
	}
	if s.Enabled(1) {
		s.Info(1, message, append(slices.Clip(keysAndValues), "reason", err.Error())...)
	}
}

// WithValues implements logr.LogSink.
func (s safeSink) WithValues(keysAndValues ...any) logr.LogSink {
	return safeSink{s.LogSink.WithValues(keysAndValues...)}
}

// WithName implements logr.LogSink.
func (s safeSink) WithName(name string) logr.LogSink { return safeSink{s.LogSink.WithName(name)} }
