// Reads JSON and keeps what JSON.parse loses: members that repeat a key, their order, and numbers as they were
// written. QEMU's description of a stream needs all three: it writes the elements of a list one behind the
// other into the same object, under the same keys.

import { QemuStreamError } from '../file/qemu-stream-error.ts'

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

const OBJECT = 0x7b
const OBJECT_END = 0x7d
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const QUOTE = 0x22
const COLON = 0x3a
const COMMA = 0x2c
const BACKSLASH = 0x5c
const SPACE = 0x20

/** Neither escapes nor anything but ASCII. */
const PLAIN = /^[ -[\]-\u007f]*$/

/** What a string must not hold: one of the first 32 characters. */
const CONTROL = /[^ -\uffff]/

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

/** The member of that name: of some the last, as JSON.parse has it. */
export function jsonMember(object: JsonObject, key: string): JsonValue | undefined {
  return object.members.findLast((member) => member.key === key)?.value
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
    if (!Number.isNaN(this.#next())) this.#fail('something follows the value')
    return value
  }

  #value(): JsonValue {
    switch (this.#next()) {
      case OBJECT:
        return this.#object()
      case ARRAY:
        return this.#array()
      case QUOTE:
        return this.#string()
      case 0x74:
        return this.#word('true', true)
      case 0x66:
        return this.#word('false', false)
      case 0x6e:
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(): JsonObject {
    this.#enter()
    const members: JsonMember[] = []
    if (this.#next() === OBJECT_END) this.#at++
    else {
      do {
        if (this.#next() !== QUOTE) this.#fail('a key was due')
        const key = this.#string()
        if (this.#next() !== COLON) this.#fail('a colon was due')
        this.#at++
        members.push({ key, value: this.#value() })
      } while (this.#goesOn(OBJECT_END))
    }
    this.#depth--
    return { kind: 'object', members }
  }

  #array(): JsonArray {
    this.#enter()
    const items: JsonValue[] = []
    if (this.#next() === ARRAY_END) this.#at++
    else {
      do items.push(this.#value())
      while (this.#goesOn(ARRAY_END))
    }
    this.#depth--
    return { kind: 'array', items }
  }

  #enter(): void {
    this.#at++
    if (++this.#depth > DEPTH_MAX) this.#fail(`more than ${DEPTH_MAX} levels`)
  }

  /** Whether a comma stands here and not the end; either is taken. */
  #goesOn(end: number): boolean {
    const mark = this.#next()
    if (mark !== COMMA && mark !== end) {
      this.#fail(`a comma or ${String.fromCharCode(end)} was due`)
    }
    this.#at++
    return mark === COMMA
  }

  /** Looks for the end first: nearly all strings are plain, and the engine's own search is fast. */
  #string(): string {
    const start = this.#at + 1
    let end = this.#text.indexOf('"', start)
    while (end > start && this.#isEscaped(start, end)) end = this.#text.indexOf('"', end + 1)
    const raw = this.#text.slice(start, end < 0 ? undefined : end)
    if (end >= 0 && PLAIN.test(raw)) {
      this.#at = end + 1
      return raw
    }
    const control = CONTROL.exec(raw)
    if (control !== null) {
      this.#at = start + control.index
      this.#fail('a control character within a string')
    }
    this.#at = end < 0 ? this.#text.length : end + 1
    if (end < 0) this.#fail('the string does not end')
    const text = fromUtf8(raw) ?? this.#fail('a string that is not UTF-8')
    return text.includes('\\') ? this.#unescaped(text) : text
  }

  /** Whether an odd number of backslashes stands ahead of a place in the string. */
  #isEscaped(start: number, place: number): boolean {
    let at = place
    while (at > start && this.#text.charCodeAt(at - 1) === BACKSLASH) at--
    return (place - at) % 2 === 1
  }

  #unescaped(raw: string): string {
    return raw.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_all, escape: string) => {
      if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
      return ESCAPES[escape] ?? this.#fail(`the escape \\${escape}`)
    })
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at
    if (!NUMBER.test(this.#text)) this.#fail('a value was due')
    const text = this.#text.slice(this.#at, NUMBER.lastIndex)
    this.#at = NUMBER.lastIndex
    return { kind: 'number', text }
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value was due')
    this.#at += word.length
    return value
  }

  /** The next character that is no space; none at the end. */
  #next(): number {
    let code = this.#text.charCodeAt(this.#at)
    while (code <= SPACE && (code === SPACE || code === 0x0a || code === 0x0d || code === 0x09)) {
      code = this.#text.charCodeAt(++this.#at)
    }
    return code
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
