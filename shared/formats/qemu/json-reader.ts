// Reads JSON and keeps what JSON.parse loses: members that repeat a key, their order, and numbers as they were
// written. QEMU's description of a stream needs all three: it writes the elements of a list one behind the
// other into the same object, under the same keys.

import { QemuStreamError } from './qemu-stream-error.ts'

/** A number by its text: nobody has decided how wide it is. */
export interface JsonNumber {
  readonly kind: 'number'
  readonly text: string
}

export interface JsonMember {
  readonly key: string
  readonly value: JsonValue
}

export interface JsonObject {
  readonly kind: 'object'
  readonly members: readonly JsonMember[]
}

export interface JsonArray {
  readonly kind: 'array'
  readonly items: readonly JsonValue[]
}

export type JsonValue = JsonObject | JsonArray | JsonNumber | string | boolean | null

/** Of objects and arrays within each other. */
const DEPTH_MAX = 512

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * The one value that the bytes (UTF-8) hold. Raises QemuStreamError bad-description, with the offset of
 * what is wrong: `offset` is where in the stream the bytes begin.
 */
export function readJson(bytes: Uint8Array, offset = 0): JsonValue {
  return new JsonReader(bytes, offset).whole()
}

/** The first member of that name. */
export function jsonMember(object: JsonObject, key: string): JsonValue | undefined {
  return object.members.find((member) => member.key === key)?.value
}

class JsonReader {
  readonly #text: string
  readonly #offset: number
  #at = 0
  #depth = 0

  constructor(bytes: Uint8Array, offset: number) {
    this.#text = charactersOf(bytes)
    this.#offset = offset
  }

  whole(): JsonValue {
    const value = this.#value()
    if (this.#next() !== '') this.#fail('something follows the value')
    return value
  }

  #value(): JsonValue {
    const first = this.#next()
    switch (first) {
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(): JsonObject {
    this.#enter()
    const members: JsonMember[] = []
    if (this.#next() === '}') this.#at++
    else {
      do {
        if (this.#next() !== '"') this.#fail('a key was due')
        const key = this.#string()
        if (this.#next() !== ':') this.#fail('a colon was due')
        this.#at++
        members.push({ key, value: this.#value() })
      } while (this.#goesOn('}'))
    }
    this.#depth--
    return { kind: 'object', members }
  }

  #array(): JsonArray {
    this.#enter()
    const items: JsonValue[] = []
    if (this.#next() === ']') this.#at++
    else {
      do items.push(this.#value())
      while (this.#goesOn(']'))
    }
    this.#depth--
    return { kind: 'array', items }
  }

  #enter(): void {
    this.#at++
    if (++this.#depth > DEPTH_MAX) this.#fail(`more than ${DEPTH_MAX} levels`)
  }

  /** Whether a comma stands here and not the end; either is taken. */
  #goesOn(end: string): boolean {
    const mark = this.#next()
    if (mark !== ',' && mark !== end) this.#fail(`a comma or ${end} was due`)
    this.#at++
    return mark === ','
  }

  #string(): string {
    const start = ++this.#at
    let hasEscapes = false
    let isWide = false
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 0x22) break
      if (Number.isNaN(code)) this.#fail('the string does not end')
      if (code < 0x20) this.#fail('a control character within a string')
      if (code === 0x5c) {
        hasEscapes = true
        this.#at++
      } else if (code > 0x7f) isWide = true
      this.#at++
    }
    const raw = this.#text.slice(start, this.#at++)
    const text = isWide ? fromUtf8(raw) : raw
    if (text === undefined) return this.#fail('a string that is not UTF-8')
    return hasEscapes ? this.#unescaped(text) : text
  }

  #unescaped(raw: string): string {
    return raw.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_all, escape: string) => {
      if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
      return ESCAPES[escape] ?? this.#fail(`the escape \\${escape}`)
    })
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at
    const text = NUMBER.exec(this.#text)?.[0]
    if (text === undefined) return this.#fail('a value was due')
    this.#at += text.length
    return { kind: 'number', text }
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value was due')
    this.#at += word.length
    return value
  }

  /** The next character that is no space; none at the end. */
  #next(): string {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
      this.#at++
    }
    return this.#text.charAt(this.#at)
  }

  #fail(rule: string): never {
    throw new QemuStreamError('bad-description', this.#offset + this.#at, 'JSON description', rule)
  }
}

/** Each byte one character: so offsets in the text are offsets in the stream. */
function charactersOf(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)))
  }
  return parts.join('')
}

/** Characters that are bytes of UTF-8 become what they stand for; nothing if they stand for nothing. */
function fromUtf8(raw: string): string | undefined {
  const escaped = raw.replace(/[\u0080-\u00ff]|%/g, (one) => {
    return `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  try {
    return decodeURIComponent(escaped)
  } catch {
    return undefined
  }
}
