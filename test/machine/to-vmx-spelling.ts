/** Parts of a domain that say how a thing is written, and not what it is; places in the boot order, which count beside each other. */
export const SPELLING =
	/@xmlns|@unit$|@accessmode$|@placement$|@primary$|@autoport$|graphics(\[\d+\])?\/@listen$|boot\/@order$|target\/@(port|dev)$|^devices\/console/;
