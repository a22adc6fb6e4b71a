package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// volumeCommand is the subcommand that plays the kubelet: it keeps a folder as a Pod sees a mounted Secret.
const volumeCommand = "volume"

// volumePeriod is how often the Secret is looked at. A real kubelet takes up to a minute or so.
const volumePeriod = 250 * time.Millisecond

// runVolume copies a Secret into a folder whenever it changed, until ctx ends.
func runVolume(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(volumeCommand, flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig of the cluster")
	namespace := flags.String("namespace", "", "namespace of the Secret")
	name := flags.String("secret", "", "name of the Secret")
	into := flags.String("into", "", "folder to keep")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	kube, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	tick := time.NewTicker(volumePeriod)
	defer tick.Stop()
	version := ""
	for {
		var secret corev1.Secret
		err := kube.Get(ctx, client.ObjectKey{Namespace: *namespace, Name: *name}, &secret)
		// Like a kubelet, it keeps what it has while the Secret cannot be read.
		if err == nil && secret.ResourceVersion != version {
			if err := publish(*into, secret.Data); err != nil {
				return err
			}
			version = secret.ResourceVersion
			fmt.Printf("copied version %s of the Secret\n", version)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// publish makes a folder show files, all of them at one instant: they are written to a folder of their own, and the
// link ..data, through which each name goes, is then turned to it.
func publish(folder string, files map[string][]byte) error {
	const link = "..data"
	fresh, err := os.MkdirTemp(folder, "..version-")
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(fresh, name), content, 0o600); err != nil {
			return err
		}
	}
	stale, err := os.Readlink(filepath.Join(folder, link))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(filepath.Base(fresh), filepath.Join(folder, link+".new")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(folder, link+".new"), filepath.Join(folder, link)); err != nil {
		return err
	}
	if err := linkNames(folder, link, maps.Keys(files)); err != nil || stale == "" {
		return err
	}
	return os.RemoveAll(filepath.Join(folder, stale))
}

// linkNames makes a link for each name, and removes those that lead nowhere now.
func linkNames(folder, through string, names func(func(string) bool)) error {
	for name := range names {
		err := os.Symlink(filepath.Join(through, name), filepath.Join(folder, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
