import assert from "node:assert/strict";
import { test } from "node:test";
import { inLanguage, languageOf, spanishComplaint, spanishUsage } from "./language.ts";

test("LC_ALL goes before LC_MESSAGES, and that before LANG; an empty one is as none", () => {
  for (const [environment, language] of [
    [{}, "en"],
    [{ LANG: "es" }, "es"],
    [{ LANG: "es_MX.UTF-8" }, "es"],
    [{ LANG: "es_ES@euro" }, "es"],
    [{ LANG: "ES_es.utf8" }, "es"],
    [{ LANG: "est_EE.UTF-8" }, "en"],
    [{ LANG: "et_EE.UTF-8" }, "en"],
    [{ LANG: "fr_FR.UTF-8" }, "en"],
    [{ LANG: "nonsense" }, "en"],
    [{ LANG: "es_ES.UTF-8", LC_MESSAGES: "en_GB.UTF-8" }, "en"],
    [{ LANG: "en_GB.UTF-8", LC_MESSAGES: "es_AR.UTF-8" }, "es"],
    [{ LANG: "es_ES.UTF-8", LC_MESSAGES: "es_ES.UTF-8", LC_ALL: "C" }, "en"],
    [{ LANG: "es_ES.UTF-8", LC_ALL: "POSIX" }, "en"],
    [{ LANG: "es_ES.UTF-8", LC_ALL: "C.UTF-8" }, "en"],
    [{ LANG: "es_ES.UTF-8", LC_MESSAGES: "", LC_ALL: "" }, "es"],
    [{ LANG: "", LC_ALL: "es" }, "es"],
  ] as const) {
    assert.equal(languageOf(environment), language, JSON.stringify(environment));
  }
});

test("LANGUAGE is a list that goes before a locale, but not before that of POSIX", () => {
  for (const [environment, language] of [
    [{ LANG: "en_US.UTF-8", LANGUAGE: "es" }, "es"],
    [{ LANG: "en_US.UTF-8", LANGUAGE: "fr:es_MX:en" }, "es"],
    [{ LANG: "es_ES.UTF-8", LANGUAGE: "en:es" }, "en"],
    [{ LANG: "es_ES.UTF-8", LANGUAGE: "" }, "es"],
    [{ LANG: "C", LANGUAGE: "es" }, "en"],
    [{ LANGUAGE: "es" }, "en"],
    [{ LANG: "C.UTF-8", LANGUAGE: "es" }, "en"],
  ] as const) {
    assert.equal(languageOf(environment), language, JSON.stringify(environment));
  }
});

test("a text that one language lacks does not compile", () => {
  // @ts-expect-error es has no `b`
  inLanguage({ en: { a: "one", b: "two" }, es: { a: "uno" } });
  // @ts-expect-error en has no `b`
  inLanguage({ en: { a: "one" }, es: { a: "uno", b: "dos" } });
  // @ts-expect-error es is no function
  inLanguage({ en: (name: string) => name, es: "nombre" });
  assert.equal(inLanguage({ en: "one", es: "uno" }), "one");
});

test("what commander finds wrong, in Spanish", () => {
  for (const [complaint, spanish] of [
    ["missing required argument 'contract'", "falta el argumento 'contrato'"],
    ["missing required argument 'json'", "falta el argumento 'json'"],
    ["option '--ca <file>' argument missing", "a la opción '--ca <archivo>' le falta su valor"],
    [
      "option '--seed <number>' argument '<file>' is invalid. Da un número",
      "el valor '<file>' de la opción '--seed <número>' no es válido. Da un número",
    ],
    ["unknown option '--jsn'\n(Did you mean --json?)", "no existe la opción '--jsn' (¿querías decir --json?)"],
    ["unknown command 'x'\n(Did you mean one of a, b?)", "no existe la orden 'x' (¿querías decir a, b?)"],
    ["too many arguments for 'show'. Expected 1 argument but got 2", "sobran argumentos: hay 2, y se esperan 1"],
    ["too many arguments. Expected 2 arguments but got 3", "sobran argumentos: hay 3, y se esperan 2"],
    ["something else", "something else"],
  ] as const) {
    assert.equal(spanishComplaint(complaint), spanish);
  }
});

test("what is put between brackets, in Spanish", () => {
  assert.equal(
    spanishUsage("zocalo send [options] <address> <text...>"),
    "zocalo send [opciones] <dirección> <texto...>",
  );
  assert.equal(spanishUsage("call <'method json'> [json]"), "call <'método json'> [json]");
});
