// Bugs planted on purpose, each an edit of the compiled code: what mutants.ts hunts.

export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const MUTANTS: Readonly<Record<string, readonly Edit[]>> = {
  'heartbeat-only failover': [
    {
      file: 'secondary/machine.js',
      find: "{ target: '#secondary.claiming' }",
      replace: "{ target: '#secondary.loading' }",
    },
    {
      file: 'primary/machine.js',
      find: "'session.ended': '#primary.claiming', 'operator.hand-over'",
      replace: "'session.ended': '#primary.standalone', 'operator.hand-over'",
    },
  ],
  'output released before READY': [
    {
      file: 'primary/output-gate.js',
      find: 'if (this.#open) return this.#let(connection, bytes)',
      replace: 'return this.#let(connection, bytes)',
    },
  ],
  'holding that starts only after READY': [
    { file: 'primary/primary.js', find: 'this.gate.hold();', replace: '' },
    {
      file: 'primary/effects.js',
      find: 'const released = gate.release(side.captured.epoch);',
      replace: 'gate.hold(); const released = gate.release(side.captured.epoch);',
    },
  ],
  'half a checkpoint applied at EOF': [
    {
      file: 'secondary/secondary.js',
      find: 'this.world.guest.store.discard(); this.#staged',
      replace:
        '{ this.world.guest.store.commit(); this.world.guest.store.apply(Infinity); } this.#staged',
    },
  ],
  'a committed stage dropped between READY and RESUMED': [
    {
      file: 'shared/memory/page-store.js',
      find: 'let budget = pagesMax;',
      replace:
        'if (pagesMax === Infinity) { this.#committed = false; this.#forget(); return true }\nlet budget = pagesMax;',
    },
  ],
  'a store over the edge of a page missed': [
    { file: 'keepers/wasm/page-log.js', find: 'if (isReached)', replace: 'if (false)' },
  ],
  'what the host writes not marked': [
    {
      file: 'keepers/wasm/guest-pages.js',
      find: 'this.#dirty.mark(this, at, bytes.length);',
      replace: '',
    },
  ],
  'a full copy of what was captured before': [
    {
      file: 'keepers/wasm/guest-pages.js',
      find: 'this.#takeChanged(); this.#begin(progress, 0);',
      replace: 'if (this.known === 0) this.#takeChanged(); this.#begin(progress, 0);',
    },
  ],
  'memory that grew not captured': [
    {
      file: 'keepers/wasm/guest-pages.js',
      find: 'this.takeRun(this.#grownFrom, this.#pages.length);',
      replace: '',
    },
  ],
  'a full copy over what an earlier one left': [
    {
      file: 'shared/memory/page-store.js',
      find: 'this.#fresh?.fill(1, pfn, pfn + count);',
      replace: 'this.#fresh?.fill(1);',
    },
  ],
  'pages of a full copy received a page too far': [
    {
      file: 'secondary/checkpoint-reader.js',
      find: 'this.#offered = this.#pfns[this.#placed] * PAGE_BYTES + this.#partial;',
      replace: 'this.#offered = (this.#pfns[this.#placed] + 1) * PAGE_BYTES + this.#partial;',
    },
  ],
  'a broken off page of a full copy begun anew': [
    // The digest would find it, and the session would end.
    {
      file: 'secondary/checkpoint-reader.js',
      find: 'low === sent.low && high === sent.high',
      replace: 'true',
    },
    {
      file: 'secondary/checkpoint-reader.js',
      find: 'this.#offered = begun ? this.#at :',
      replace: 'this.#offered =',
    },
  ],
  'a digest that is not compared': [
    {
      file: 'secondary/checkpoint-reader.js',
      find: 'low === sent.low && high === sent.high',
      replace: 'true',
    },
  ],
  "a closed session's READY obeyed": [
    { file: 'primary/back-channel.js', find: 'if (!session.over)', replace: 'if (true)' },
    {
      file: 'primary/back-channel.js',
      find: 'if (session.over) return',
      replace: 'if (false) return',
    },
  ],
  'a secondary that claims from the generation it was told': [
    {
      file: 'secondary/effects.js',
      find: "witness.read('claim');",
      replace: "side.send({ type: 'witness.claim' });",
    },
  ],
  'identity by name after a restart': [
    {
      file: 'side/side.js',
      find: 'new SideRecord(told, world.disk, world.random.token(), isNew)',
      replace: 'new SideRecord(told, world.disk, options.name.repeat(32), isNew)',
    },
    {
      file: 'secondary/secondary.js',
      find: 'this.record.beginLife(this.world.random.token());',
      replace: 'this.record.beginLife(this.record.incarnation);',
    },
  ],
  'free release resumed after an unanswered compare-and-set': [
    {
      file: 'primary/machine.js',
      find: "'witness.lost': { target: '#primary.leaving', actions: 'tellClaimLost' }, 'session.ended': '#primary.claiming'",
      replace:
        "'witness.lost': { target: '#primary.leaving', actions: 'tellClaimLost' }, 'session.ended': '#primary.standalone'",
    },
    {
      file: 'primary/machine.js',
      find: "on: { 'session.ended': '#primary.claiming' }",
      replace: "on: { 'session.ended': '#primary.standalone' }",
    },
  ],
  'a lost claim repeated from the generation just read': [
    {
      file: 'primary/machine.js',
      find: "'witness.again': { target: 'writing', reenter: true }, 'witness.lost': { target: '#primary.leaving', actions: 'tellClaimLost' }",
      replace:
        "'witness.again': { target: 'writing', reenter: true }, 'witness.lost': { target: 'writing', reenter: true }",
    },
  ],
  'a missing register read as lost': [
    {
      file: 'shared/failover/survival.js',
      find: "{ at: 'claim', when: ['isUntrusted'], gives: 'unreachable' }",
      replace: "{ at: 'claim', when: ['isUntrusted'], gives: 'lost' }",
    },
  ],
  'an older register obeyed': [
    {
      file: 'shared/protocol/register.js',
      find: "if (register.generation < known.generation) return 'older';",
      replace: "if (register.generation < known.generation) return 'newer';",
    },
    {
      file: 'shared/failover/side-record.js',
      find: '!this.holdsState || generation >= this.generation',
      replace: 'true',
    },
  ],
  'registers read by number only': [
    {
      file: 'shared/protocol/register.js',
      find: "return !holdsState || register.earlier.includes(known.nonce) ? 'newer' : 'other-line';",
      replace: "return 'newer';",
    },
    {
      file: 'shared/protocol/register.js',
      find: "if (register.generation === known.generation) return 'twin';",
      replace: "if (register.generation === known.generation) return 'same';",
    },
  ],
  'registers written by number only': [
    {
      file: 'test/simulation/virtual-witness.js',
      find: 'if (last?.nonce === base)',
      replace: "if (last?.generation === ('nonce' in from ? from.generation : undefined))",
    },
  ],
  'registers compared by number only': [
    {
      file: 'shared/protocol/register.js',
      find: "return !holdsState || register.earlier.includes(known.nonce) ? 'newer' : 'other-line';",
      replace: "return 'newer';",
    },
    {
      file: 'shared/protocol/register.js',
      find: "if (register.generation === known.generation) return 'twin';",
      replace: "if (register.generation === known.generation) return 'same';",
    },
    {
      file: 'test/simulation/virtual-witness.js',
      find: 'if (last?.nonce === base)',
      replace: "if (last?.generation === ('nonce' in from ? from.generation : undefined))",
    },
  ],
  'rule 11 asked after alone(self)': [
    {
      file: 'shared/failover/survival.js',
      find: "{ at: 'claimed', when: ['isUntrusted'], gives: 'unreachable' }, { at: 'claimed', when: ['isAloneMe'], gives: 'won' },",
      replace:
        "{ at: 'claimed', when: ['isAloneMe'], gives: 'won' }, { at: 'claimed', when: ['isUntrusted'], gives: 'unreachable' },",
    },
  ],
  'a living owner overwritten by adopt': [
    {
      file: 'side/adoption.js',
      find: 'if (standing.serves)',
      replace: 'if (false)',
    },
    {
      file: 'side/adoption.js',
      find: 'known.earlier.includes(mine.nonce)',
      replace: 'false',
    },
    {
      file: 'side/adoption.js',
      find: 'isAlone && holders(register)[0] === peer',
      replace: 'false',
    },
  ],
  'a start-over that grants before it checks': [
    {
      file: 'side/procedures.js',
      find: 'startOver(message, role, answer) {',
      replace: 'startOver(message, role, answer) { this.#options.world.witness.grant();',
    },
  ],
}
