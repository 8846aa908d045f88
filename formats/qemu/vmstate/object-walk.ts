// Where a walk through a device in memory stands, for both visitors of that medium: in a struct, or at an element
// of an array or a list. Names of members may come with a stream, so they are looked up with care.

import { QemuStreamError } from '../file/qemu-stream-error.ts'
import type { VMStateDevice } from './vmstate.ts'

export type Members = Record<string, unknown>

export interface ObjectVisitorOptions {
  /**
   * A subsection's fields are those of the device itself, as in QEMU. If true they are in a member that has
   * the subsection's name: for descriptions out of a stream, where names may repeat and nobody can say what
   * is needed but what is there.
   */
  readonly nested?: boolean
}

/** Where a walk stands: in a struct, or at an element of an array or a list. */
export interface Frame {
  readonly device: Members
  readonly items?: unknown[]
  readonly isTree?: boolean
  /** The element in turn of an array; the next subsection of a struct. */
  next: number
}

export const refuse = (item: string, rule: string): never => {
  throw new QemuStreamError('bad-value', 0, item, rule)
}

export function setMember(object: Members, name: string, value: unknown): void {
  if (name === '__proto__') {
    const whole = { value, writable: true, enumerable: true, configurable: true }
    Object.defineProperty(object, name, whole)
  } else object[name] = value
}

export const memberOf = (object: Members, name: string): unknown =>
  Object.hasOwn(object, name) || !(name in Object.prototype) ? object[name] : undefined

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null

/** The object that a `tmp` is: its hooks find the device in `parent`. */
export function temporary(parent: Members): Members {
  return Object.defineProperty({}, 'parent', { value: parent, enumerable: false }) as Members
}

/** The stack of frames, which both directions have. */
export class ObjectWalk {
  readonly root: Members
  readonly isNested: boolean
  #frames: Frame[] = []
  top: Frame

  constructor(root: VMStateDevice, options: ObjectVisitorOptions) {
    this.root = root as Members
    this.isNested = options.nested ?? false
    this.top = { device: this.root, next: 0 }
  }

  push(frame: Frame): void {
    this.#frames.push(this.top)
    this.top = frame
  }

  pop(): void {
    this.top = this.#frames.pop() ?? this.top
  }
}
