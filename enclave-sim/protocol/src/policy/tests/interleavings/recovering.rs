use blindprint_core::{UnixTime, statement::RecoveryAction};

use super::{super::world::jws, Run, steps::Fate};

impl Run {
    pub(super) fn fresh_key(&mut self, person: usize) -> usize {
        let key = self.world.key();
        self.wallets[person].keys.push(key);
        self.wallets[person].keys.len() - 1
    }

    pub(super) fn rotate(&mut self, person: usize, flaws: (bool, bool), fate: Fate) {
        // With a nonce that is spent the statement is another one, or it would be a retry.
        let (stranger, spent) = flaws;
        let Some(slip) = self.slip(person, spent) else {
            return;
        };
        let device = self.fresh_key(person);
        let wallet = &self.wallets[person];
        let mut rotation =
            self.world
                .rotation(&wallet.subject, &wallet.keys[device], self.slips[slip]);
        rotation.iat = UnixTime(self.model.present + i64::from(spent));
        let possession = jws(&wallet.keys[device], &rotation);
        let signed = jws(self.device(person, stranger), &rotation);
        let permitted = !stranger && !spent && self.model.people[person].recovery.is_some();
        let outcome = self.carry_out(fate, |policy, host| {
            policy.rotate_key(&signed, &possession, host)
        });
        self.judge(outcome, permitted, |run, _| {
            run.model.slips[slip].dead = true;
            run.model.people[person].device = device;
        });
    }

    pub(super) fn unlock(&mut self, person: usize, flaws: (bool, bool), fate: Fate) {
        let (stranger, spent) = flaws;
        let Some(slip) = self.slip(person, spent) else {
            return;
        };
        let wallet = &self.wallets[person];
        let mut recovery =
            self.world
                .recovery(&wallet.subject, RecoveryAction::Unlock, self.slips[slip]);
        recovery.iat = UnixTime(self.model.present + i64::from(spent));
        let known = &self.model.people[person];
        // The wallet's own key does not recover.
        let key = if stranger {
            known.device
        } else {
            known.recovery.unwrap_or(0)
        };
        let signed = jws(&wallet.keys[key], &recovery);
        let permitted = !stranger && !spent && known.recovery.is_some();
        let outcome = self.carry_out(fate, |policy, host| policy.recover(&signed, None, host));
        self.judge(outcome, permitted, |run, _| {
            run.model.slips[slip].dead = true;
            run.model.recover(person);
        });
    }

    pub(super) fn replace_device(&mut self, person: usize, flaws: (bool, bool), fate: Fate) {
        let (stranger, spent) = flaws;
        let Some(slip) = self.slip(person, spent) else {
            return;
        };
        let (device, paper) = (self.fresh_key(person), self.fresh_key(person));
        let wallet = &self.wallets[person];
        let action = RecoveryAction::ReplaceDevice {
            new_key: wallet.keys[device].public().uri(),
            new_recovery_key: wallet.keys[paper].public().uri(),
        };
        let mut recovery = self
            .world
            .recovery(&wallet.subject, action, self.slips[slip]);
        recovery.iat = UnixTime(self.model.present + i64::from(spent));
        let known = &self.model.people[person];
        let key = if stranger {
            known.device
        } else {
            known.recovery.unwrap_or(0)
        };
        let (signed, possession) = (
            jws(&wallet.keys[key], &recovery),
            jws(&wallet.keys[device], &recovery),
        );
        let permitted = !stranger && !spent && known.recovery.is_some();
        let outcome = self.carry_out(fate, |policy, host| {
            policy.recover(&signed, Some(&possession), host)
        });
        self.judge(outcome, permitted, |run, _| {
            run.model.slips[slip].dead = true;
            run.model.recover(person);
            run.model.replace_device(person, device, paper);
        });
    }
}
