/** The language of a page, which stands in its document: the server writes there what the browser asks for. */

/** English or Spanish. */
export type Language = "en" | "es";

/** What the page speaks now. */
export function language(): Language {
  return document.documentElement.lang === "es" ? "es" : "en";
}

/** Answers how to get the texts of the language of now. What one language lacks does not compile. */
export function inLanguage<T>(texts: { readonly en: T; readonly es: NoInfer<T> }): () => T {
  return () => texts[language()];
}
