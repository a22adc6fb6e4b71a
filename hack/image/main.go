// Program image makes the image that the Dockerfile describes without a container engine: as an OCI layout in a folder,
// and on request in a registry. Same binaries, same bytes.
//
//	go -C hack/image run . -dockerfile ../../Dockerfile -o ../../dist/image linux/amd64=BINARY linux/arm64=BINARY
//
// Whom the Hub's certificate is trusted by are Mozilla's authorities as go.mod pins them.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	dockerfile := flags.String("dockerfile", "Dockerfile", "what the image is like")
	out := flags.String("o", "", "folder of the OCI layout; it must not exist")
	push := flags.String("push", "", "name with tag to push the image to, as whom docker login made you")
	if err := flags.Parse(args); err != nil {
		return err
	}
	recipe, err := readRecipe(*dockerfile)
	if err != nil {
		return err
	}
	binaries := map[string]string{}
	for _, arg := range flags.Args() {
		platform, path, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is no PLATFORM=BINARY", arg)
		}
		binaries[platform] = path
	}
	index, err := recipe.index(binaries)
	if err != nil {
		return err
	}
	if *out != "" {
		if err := writeLayout(*out, index); err != nil {
			return err
		}
	}
	if *push != "" {
		if err := pushTo(*push, index); err != nil {
			return err
		}
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}
