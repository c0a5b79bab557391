"""The OpenAPI document, made from declarations and schemas, and its page."""
