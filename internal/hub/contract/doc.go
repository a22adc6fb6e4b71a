// Package contract holds HTTP traffic to the Hub's OpenAPI document. It is for tests only.
package contract
