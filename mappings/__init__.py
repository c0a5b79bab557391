"""Pure translation: `translate` for an object of any kind, `untranslated` for which keys occur in others."""
