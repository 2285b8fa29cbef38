"""From ranks to tenge: the dated funding rule, applied and explained."""
