// Puts probes into compiled JavaScript, so that the fuzzer sees which branches an input took, which values were
// compared with which, and how much was allocated. Edits are insertions into the text, on the line where they
// belong: a stack trace shows the line of the file in dist/. What a probe does is in probes.ts.

import { parseAst } from 'rolldown/parseAst'

export interface Instrumented {
  readonly code: string
  /** Branches counted in this file. */
  readonly branches: number
  /** Constants that stand in the code: what it may compare with. */
  readonly constants: readonly Constant[]
}

export type Constant = number | bigint | string

/** A node of ESTree, as far as it matters here. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '===': 'eq',
  '!==': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
}

const ARRAYS = /^(?:(?:Ui|I)nt(?:8|16|32)Array|Uint8ClampedArray|ArrayBuffer|Array)$/
const WORDS_MAX = 40

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && 'start' in value

const nodeOf = (value: unknown): Node | undefined => (isNode(value) ? value : undefined)

const nodesOf = (value: unknown): Node[] => (Array.isArray(value) ? value.filter(isNode) : [])

/** `firstBranch`: how many branches the files before it have. */
export function instrument(code: string, firstBranch: number): Instrumented {
  return new Instrumentation(code, firstBranch).whole()
}

class Instrumentation {
  readonly #code: string
  readonly #firstBranch: number
  #branch: number
  /** What is put ahead of a place, outer first, and behind it, inner first. */
  readonly #ahead = new Map<number, string>()
  readonly #behind = new Map<number, string>()
  /** Text that is left out, from where to where. */
  readonly #cuts = new Map<number, number>()
  readonly #constants = new Set<Constant>()

  constructor(code: string, firstBranch: number) {
    this.#code = code
    this.#firstBranch = firstBranch
    this.#branch = firstBranch
  }

  whole(): Instrumented {
    const program = nodeOf(parseAst(this.#code, { preserveParens: true }))
    if (program !== undefined) this.#visit(program, false)
    const names = ['c', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'get', 'has', 'on', 'is', 'size']
    const head = `const {${names.map((name) => `${name}:__${name}`).join()}}=globalThis.__probes;`
    const branches = this.#branch - this.#firstBranch
    return { code: head + this.#edited(), branches, constants: [...this.#constants] }
  }

  #edited(): string {
    const places = new Set([...this.#ahead.keys(), ...this.#behind.keys(), ...this.#cuts.keys()])
    let text = ''
    let at = 0
    for (const place of [...places].toSorted((a, b) => a - b)) {
      text += this.#code.slice(at, place) + (this.#behind.get(place) ?? '')
      text += this.#ahead.get(place) ?? ''
      at = Math.max(at, place)
      const cut = this.#cuts.get(place)
      if (cut === undefined) continue
      // Lines stay where they are.
      text += this.#code.slice(place, cut).replaceAll(/[^\n]/g, '')
      at = cut
    }
    return text + this.#code.slice(at)
  }

  #put(place: number, text: string): void {
    this.#ahead.set(place, (this.#ahead.get(place) ?? '') + text)
  }

  #close(place: number, text: string): void {
    this.#behind.set(place, (this.#behind.get(place) ?? '') + text)
  }

  #counter(): string {
    return `__c[${this.#branch++}]++`
  }

  #visit(node: Node, isInChain: boolean): void {
    const behind = this.#probe(node, isInChain)
    const isChain = isInChain || node.type === 'ChainExpression'
    const isForTest = node.type === 'ForStatement'
    for (const [key, value] of Object.entries(node)) {
      // A loop's own bound tells nothing, and is compared all the time.
      const test = isForTest && key === 'test' ? nodeOf(value) : undefined
      if (test?.type === 'BinaryExpression') this.#visitParts(test, isChain)
      else if (isNode(value))
        this.#visit(value, isChain && value.type !== 'ArrowFunctionExpression')
      else
        for (const one of nodesOf(value))
          this.#visit(one, isChain && one.type !== 'ArrowFunctionExpression')
    }
    for (const [place, text] of behind) this.#close(place, text)
  }

  #visitParts(node: Node, isInChain: boolean): void {
    for (const part of [node['left'], node['right']]) {
      if (isNode(part)) this.#visit(part, isInChain)
    }
  }

  /** What is to be put behind the node's parts. */
  #probe(node: Node, isInChain: boolean): [number, string][] {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'CatchClause':
      case 'ArrowFunctionExpression':
        return this.#body(nodeOf(node['body']), node.type === 'ArrowFunctionExpression')
      case 'IfStatement':
        return this.#if(node)
      case 'ForStatement':
      case 'ForOfStatement':
      case 'ForInStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        return this.#statement(nodeOf(node['body']))
      case 'ConditionalExpression':
        return [
          ...this.#value(nodeOf(node['consequent'])),
          ...this.#value(nodeOf(node['alternate'])),
        ]
      case 'LogicalExpression':
        return this.#value(nodeOf(node['right']))
      case 'SwitchStatement':
        return this.#switch(node)
      case 'BinaryExpression':
        return this.#comparison(node)
      case 'CallExpression':
        return isInChain ? [] : this.#lookup(node)
      case 'NewExpression':
        return this.#allocation(node)
      default:
        this.#constant(node)
        return []
    }
  }

  #constant(node: Node): void {
    const key = node.type === 'Property' ? nodeOf(node['key']) : undefined
    const value = key?.type === 'Identifier' ? key['name'] : node['value']
    if (key === undefined && node.type !== 'Literal') return
    if (typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) > 255)
      this.#constants.add(value)
    if (typeof value === 'bigint') this.#constants.add(value)
    if (
      typeof value === 'string' &&
      value.length > 1 &&
      value.length <= WORDS_MAX &&
      !value.includes(' ')
    ) {
      this.#constants.add(value)
    }
  }

  #body(body: Node | undefined, isArrow: boolean): [number, string][] {
    if (body === undefined) return []
    if (isArrow && body.type !== 'BlockStatement') return this.#value(body)
    this.#put(body.start + 1, `${this.#counter()};`)
    return []
  }

  #statement(body: Node | undefined): [number, string][] {
    if (body === undefined) return []
    if (body.type === 'BlockStatement') return this.#body(body, false)
    this.#put(body.start, `{${this.#counter()};`)
    return [[body.end, '}']]
  }

  #value(value: Node | undefined): [number, string][] {
    if (value === undefined) return []
    this.#put(value.start, `(${this.#counter()},`)
    return [[value.end, ')']]
  }

  #if(node: Node): [number, string][] {
    const behind = this.#statement(nodeOf(node['consequent']))
    const alternate = nodeOf(node['alternate'])
    if (alternate !== undefined) return [...behind, ...this.#statement(alternate)]
    return [...behind, [node.end, ` else ${this.#counter()};`]]
  }

  #switch(node: Node): [number, string][] {
    const behind: [number, string][] = []
    const on = nodeOf(node['discriminant'])
    if (on !== undefined) {
      this.#put(on.start, '__on(')
      behind.push([on.end, ')'])
    }
    for (const one of nodesOf(node['cases'])) {
      const test = nodeOf(one['test'])
      if (test !== undefined) {
        this.#put(test.start, '__is(')
        behind.push([test.end, ')'])
      }
      const [first] = nodesOf(one['consequent'])
      if (first !== undefined) this.#put(first.start, `${this.#counter()};`)
    }
    return behind
  }

  #comparison(node: Node): [number, string][] {
    const name = COMPARISONS[String(node['operator'])]
    const [left, right] = [nodeOf(node['left']), nodeOf(node['right'])]
    if (name === undefined || left === undefined || right === undefined) return []
    if (left.type === 'UnaryExpression' && left['operator'] === 'typeof') return []
    if (right.type === 'Identifier' && right['name'] === 'undefined') return []
    this.#put(node.start, `__${name}(`)
    return [...this.#between(left.end, right.start, ','), [node.end, ')']]
  }

  /** A map's or a set's `get` and `has`: the key is compared with those that it has. */
  #lookup(node: Node): [number, string][] {
    const callee = nodeOf(node['callee'])
    const [key, ...others] = nodesOf(node['arguments'])
    if (callee?.type !== 'MemberExpression' || callee['computed'] === true) return []
    const [map, name] = [nodeOf(callee['object']), nodeOf(callee['property'])]
    if (map === undefined || key === undefined || others.length > 0) return []
    if (name?.['name'] !== 'get' && name?.['name'] !== 'has') return []
    if (map.type === 'Super' || name.type !== 'Identifier' || key.type === 'SpreadElement')
      return []
    this.#put(node.start, `__${name['name']}(`)
    return this.#between(map.end, key.start, ',')
  }

  #allocation(node: Node): [number, string][] {
    const [size, ...others] = nodesOf(node['arguments'])
    const callee = nodeOf(node['callee'])
    if (size === undefined || others.length > 0 || size.type === 'SpreadElement') return []
    if (callee?.type !== 'Identifier' || !ARRAYS.test(String(callee['name']))) return []
    this.#put(size.start, '__size(')
    return [[size.end, ')']]
  }

  /** What stands between two parts is left out; what the first part closes comes before it. */
  #between(from: number, to: number, text: string): [number, string][] {
    this.#cuts.set(from, to)
    return [[from, text]]
  }
}
