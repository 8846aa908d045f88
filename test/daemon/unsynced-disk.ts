// A disk that loses what was not synced. Each file has the content that is read and the content that was synced;
// each folder the names that are listed and the names that were synced. `kill` is a power cut: of what was not
// synced it keeps nothing, or whatever `keeps` chooses, half of a file included.

import type { Files } from '../../witnesses/register-files.ts'

class VirtualFile {
  text = ''
  synced = ''
  mtimeMs: number

  constructor(mtimeMs: number) {
    this.mtimeMs = mtimeMs
  }
}

class VirtualFolder {
  names = new Map<string, Node>()
  synced = new Map<string, Node>()
}

type Node = VirtualFile | VirtualFolder

export interface DiskOptions {
  /** A mutant has calls to sync that do nothing. */
  readonly syncsFile?: boolean
  readonly syncsFolder?: (path: string) => boolean
}

export class Killed extends Error {}

export class UnsyncedDisk implements Files {
  readonly #options: DiskOptions
  readonly #root = new VirtualFolder()
  /** Of the calls that changed or read something. */
  calls: string[] = []
  /** The disk stops before this call. */
  stopsBefore = Number.POSITIVE_INFINITY
  /** Lets other writers go first. */
  turn: () => Promise<void> = async () => undefined

  constructor(options: DiskOptions = {}) {
    this.#options = options
  }

  kill(keeps: (what: string) => boolean = () => false): void {
    this.#lose(this.#root, '', keeps, new Set())
    this.stopsBefore = Number.POSITIVE_INFINITY
    this.calls = []
  }

  readonly mkdir = async (path: string): Promise<string | undefined> => {
    await this.#called(`mkdir ${path}`)
    let first: string | undefined
    let at = this.#root
    let walked = ''
    for (const part of parts(path)) {
      walked += `/${part}`
      const found = at.names.get(part)
      if (found instanceof VirtualFile) throw failure('EEXIST', walked)
      const next = found ?? new VirtualFolder()
      if (found === undefined) first ??= walked
      at.names.set(part, next)
      at = next
    }
    return first
  }

  readonly open = async (path: string, flags: 'wx' | 'r') => {
    await this.#called(`open ${path}`)
    const { folder, name } = this.#place(path)
    if (flags === 'r') return this.#handle(this.#node(path), path)
    if (folder.names.has(name)) throw failure('EEXIST', path)
    const file = new VirtualFile(Date.now())
    folder.names.set(name, file)
    return this.#handle(file, path)
  }

  readonly link = async (from: unknown, to: unknown): Promise<void> => {
    await this.#called(`link ${String(to)}`)
    const node = this.#node(String(from))
    const { folder, name } = this.#place(String(to))
    if (folder.names.has(name)) throw failure('EEXIST', String(to))
    folder.names.set(name, node)
  }

  readonly unlink = async (path: unknown): Promise<void> => {
    await this.#called(`unlink ${String(path)}`)
    this.#node(String(path))
    const { folder, name } = this.#place(String(path))
    folder.names.delete(name)
  }

  readonly readFile = async (path: string): Promise<string> => {
    await this.#called(`readFile ${path}`)
    const node = this.#node(path)
    if (node instanceof VirtualFolder) throw failure('EISDIR', path)
    return node.text
  }

  readonly readdir = async (path: string): Promise<string[]> => {
    await this.#called(`readdir ${path}`)
    const node = this.#node(path)
    if (node instanceof VirtualFile) throw failure('ENOTDIR', path)
    return [...node.names.keys()]
  }

  readonly stat = async (path: string): Promise<{ mtimeMs: number }> => {
    await this.#called(`stat ${path}`)
    const node = this.#node(path)
    return { mtimeMs: node instanceof VirtualFile ? node.mtimeMs : 0 }
  }

  #handle(node: Node, path: string) {
    const { syncsFile = true, syncsFolder = () => true } = this.#options
    return {
      writeFile: async (text: string): Promise<void> => {
        await this.#called(`write ${path}`)
        if (node instanceof VirtualFile) node.text = text
      },
      sync: async (): Promise<void> => {
        await this.#called(`sync ${path}`)
        if (node instanceof VirtualFile) {
          if (syncsFile) node.synced = node.text
        } else if (syncsFolder(path)) {
          node.synced = new Map(node.names)
        }
      },
      close: async (): Promise<void> => this.#called(`close ${path}`),
    }
  }

  async #called(what: string): Promise<void> {
    await this.turn()
    if (this.calls.length >= this.stopsBefore) throw new Killed(`killed before ${what}`)
    this.calls.push(what)
  }

  #place(path: string): { folder: VirtualFolder; name: string } {
    const all = parts(path)
    const name = all.pop() ?? ''
    let at: Node = this.#root
    for (const part of all) {
      const next: Node | undefined = at.names.get(part)
      if (next === undefined) throw failure('ENOENT', path)
      if (next instanceof VirtualFile) throw failure('ENOTDIR', path)
      at = next
    }
    return { folder: at, name }
  }

  #node(path: string): Node {
    if (parts(path).length === 0) return this.#root
    const { folder, name } = this.#place(path)
    const node = folder.names.get(name)
    if (node === undefined) throw failure('ENOENT', path)
    return node
  }

  #lose(
    folder: VirtualFolder,
    path: string,
    keeps: (what: string) => boolean,
    met: Set<Node>,
  ): void {
    const left = new Map(folder.synced)
    for (const name of new Set([...folder.names.keys(), ...folder.synced.keys()])) {
      const now = folder.names.get(name)
      if (now === folder.synced.get(name) || !keeps(`${path}/${name}`)) continue
      if (now === undefined) left.delete(name)
      else left.set(name, now)
    }
    folder.names = left
    folder.synced = new Map(left)
    for (const [name, node] of left) {
      if (met.has(node)) continue
      met.add(node)
      const inside = `${path}/${name}`
      if (node instanceof VirtualFolder) this.#lose(node, inside, keeps, met)
      else if (node.text !== node.synced) loseText(node, () => keeps(`text of ${inside}`))
    }
  }
}

/** As file systems do: nothing of it, its beginning, or all of it. */
function loseText(file: VirtualFile, keeps: () => boolean): void {
  const kept = keeps() ? file.text : file.synced
  file.text = keeps() ? kept.slice(0, kept.length >> 1) : kept
  file.synced = file.text
}

const parts = (path: string) => path.split('/').filter((part) => part !== '')

/** As Node says it. */
function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: on a virtual disk, '${path}'`), { code, path })
}
