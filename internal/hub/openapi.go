package hub

import _ "embed"

// OpenAPI is the Hub's API as this project understands it, in YAML. Client and simulator are tested against it.
//
//go:embed openapi.yaml
var OpenAPI []byte
