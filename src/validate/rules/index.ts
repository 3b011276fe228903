import type { Rule } from '../rule.ts';
import { architectureRules } from './architecture.ts';
import { deviceRules } from './devices.ts';
import { bootRules } from './guest-boot.ts';
import { guestStateRules } from './guest-state.ts';
import { systemRules } from './guest-system.ts';
import { targetRules } from './guest-target.ts';
import { hardwareRules } from './hardware.ts';
import { hostRules } from './host.ts';
import { imageRules } from './images.ts';
import { networkRules } from './network.ts';
import { processorRules } from './processor.ts';
import { stateRules } from './state.ts';

/** Every rule, in the order in which people read of them. */
export const rules: readonly Rule[] = [
	...stateRules,
	...imageRules,
	...deviceRules,
	...bootRules,
	...guestStateRules,
	...systemRules,
	...targetRules,
	...architectureRules,
	...hardwareRules,
	...processorRules,
	...networkRules,
	...hostRules,
];
